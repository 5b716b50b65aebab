// node test/support/burst.ts URL REQUESTS PEOPLE ADDRESSES: wrong passwords, all at the same time. Prints the answers'
// statuses as JSON.
import { Agent, request } from 'node:http';

const [url = '', requests = '1000', people = '1', addresses = '1'] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: Number(requests) });
const counts: Record<string, number> = {};

async function guess(index: number): Promise<void> {
  const pair = `guessed-at-${index % Number(people)}:wrong password ${index}`;
  const headers = {
    authorization: `Basic ${Buffer.from(pair).toString('base64')}`,
    'x-forwarded-for': `203.0.113.${(index % Number(addresses)) + 1}`,
  };
  const status = await new Promise<number>((resolve) => {
    const asked = request(`${url}/v1/me`, { agent, headers }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
    });
    asked.on('error', () => resolve(0)).end();
  });
  counts[status] = (counts[status] ?? 0) + 1;
}

await Promise.all(Array.from({ length: Number(requests) }, (_, index) => guess(index)));
agent.destroy();
process.stdout.write(JSON.stringify(counts));
