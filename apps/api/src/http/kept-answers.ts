import type { FastifyInstance, FastifyReply, RouteOptions, onSendHookHandler } from 'fastify';

interface KeptAnswer {
  readonly contentType: string;
  readonly body: Buffer;
}

/**
 * Makes the answers of these paths once, and shares their bytes. Swagger's documents are a megabyte: to make one for
 * each anonymous request takes the event loop for 10 ms, in which hundreds of questions about tokens would be answered.
 *
 * @param paths routes whose answer never changes
 */
export function keepAnswers(instance: FastifyInstance, paths: readonly string[]): void {
  const kept = new Map<string, KeptAnswer>();
  instance.addHook('onRoute', (route) => {
    if (paths.includes(route.url)) keep(route, kept);
  });
}

// also for HEAD, which Fastify answers by the handler of GET
function keep(route: RouteOptions, kept: Map<string, KeptAnswer>): void {
  const { url } = route;
  route.preHandler = (_request, reply, done) => {
    const answer = kept.get(url);
    if (answer === undefined) done();
    else void reply.type(answer.contentType).send(answer.body);
  };
  const remember: onSendHookHandler = (_request, reply: FastifyReply, payload, done) => {
    if (reply.statusCode !== 200 || typeof payload !== 'string') {
      done(null, payload);
      return;
    }
    const body = Buffer.from(payload);
    kept.set(url, { contentType: String(reply.getHeader('content-type')), body });
    done(null, body);
  };
  route.onSend = [remember, ...[route.onSend ?? []].flat()];
}
