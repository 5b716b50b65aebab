import { Api } from './api.ts';
import type { Answer, Call, Json } from './api.ts';

const MAX_TURNS = 30;

/** Asks again when a busy machine answers 503. What is done twice then is in the log twice. */
export class PatientApi extends Api {
  override async call<T = Record<string, Json>>(method: string, path: string, call: Call = {}): Promise<Answer<T>> {
    for (let turn = 0; ; turn += 1) {
      const answer = await super.call<T>(method, path, call);
      if (answer.status !== 503 || turn === MAX_TURNS) return answer;
    }
  }

  override as(...[signIn]: Parameters<Api['as']>): PatientApi {
    return new PatientApi(this.url, signIn);
  }
}
