import type { FastifyInstance, FastifyReply } from 'fastify';
import { DomainError } from '#kernel';

interface KnownRoute {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** What paths there are and by which methods, to tell an unknown path (404) from an unknown method (405 with `Allow`). */
export class RouteTable {
  private readonly routes = new Map<string, KnownRoute>();
  private readonly firstSegments = new Set<string>();

  /** @param publicPath the path of PUBLIC_URL, where readers of an error find /docs */
  constructor(private readonly publicPath: string) {}

  /** Call it before any route is added. */
  watch(instance: FastifyInstance): void {
    instance.addHook('onRoute', ({ url, method }) => {
      const methods = typeof method === 'string' ? [method] : method;
      const known = this.routes.get(url) ?? { pattern: patternOf(url), methods: new Set() };
      for (const each of methods) known.methods.add(each);
      this.routes.set(url, known);
      this.firstSegments.add(firstSegmentOf(url));
    });
  }

  /** Whether some route begins with the first segment of this path. */
  beginsLikeRoute(path: string): boolean {
    return this.firstSegments.has(firstSegmentOf(path));
  }

  /**
   * Why no route takes the request: the path is unknown, or not for this method (RFC 9110 15.5.6: `Allow` then names which are).
   * @returns undefined for a known OAuth path: those endpoints have an error format of their own (oauth-hooks.ts)
   */
  faultOf(url: string, method: string, reply: FastifyReply): DomainError | undefined {
    const methods = this.methodsOf(url);
    if (methods.length === 0 || methods.includes(method)) {
      return new DomainError('not-found', `There is nothing at this path. ${this.publicPath}/docs lists the paths.`);
    }
    if (url.startsWith('/oauth2/')) return undefined;
    reply.header('allow', methods.join(', '));
    return new DomainError('method-not-allowed', 'Use one of the methods in the Allow header.');
  }

  /** The methods of the path, for `Allow`; empty when there is no such path. @param url with or without a query */
  methodsOf(url: string): string[] {
    const path = url.split('?', 1)[0] ?? '';
    const methods = new Set<string>();
    for (const route of this.routes.values()) {
      if (route.pattern.test(path)) for (const method of route.methods) methods.add(method);
    }
    return [...methods].sort();
  }
}

function firstSegmentOf(path: string): string {
  return /^\/[^/?#]*/.exec(path)?.[0] ?? '';
}

function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+';
    return part === '*' ? '.*' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  });
  return new RegExp(`^${parts.join('/')}$`);
}
