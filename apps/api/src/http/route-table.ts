import type { FastifyInstance, FastifyReply } from 'fastify';
import { DomainError } from '#kernel';

interface KnownRoute {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** All paths and their methods, to distinguish an unknown path (404) from a wrong method (405 with `Allow`). */
export class RouteTable {
  private readonly routes = new Map<string, KnownRoute>();
  private readonly firstSegments = new Set<string>();

  /** @param publicPath the path of PUBLIC_URL, for the link to /docs in errors */
  constructor(private readonly publicPath: string) {}

  /** Call before any route is added. */
  watch(instance: FastifyInstance): void {
    instance.addHook('onRoute', ({ url, method }) => {
      const methods = typeof method === 'string' ? [method] : method;
      const known = this.routes.get(url) ?? { pattern: patternOf(url), methods: new Set() };
      for (const each of methods) known.methods.add(each);
      this.routes.set(url, known);
      this.firstSegments.add(firstSegmentOf(url));
    });
  }

  /** Whether a route begins with the first segment of this path. */
  beginsLikeRoute(path: string): boolean {
    return this.firstSegments.has(firstSegmentOf(path));
  }

  /**
   * The error for a request without a route: unknown path, or wrong method (RFC 9110 15.5.6: with `Allow`).
   * @returns undefined for a known OAuth path, because these endpoints have their own error format (oauth-hooks.ts)
   */
  faultOf(url: string, method: string, reply: FastifyReply): DomainError | undefined {
    const methods = this.methodsOf(url);
    if (methods.length === 0 || methods.includes(method)) {
      return new DomainError('not-found', `This path does not exist. See ${this.publicPath}/docs for all paths.`);
    }
    if (url.startsWith('/oauth2/')) return undefined;
    reply.header('allow', methods.join(', '));
    return new DomainError('method-not-allowed', 'Use one of the methods in the Allow header.');
  }

  /** The methods of the path, for `Allow`; empty for an unknown path. @param url with or without a query */
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
