import type { FastifyInstance } from 'fastify';

interface KnownRoute {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** What paths there are and by which methods, to tell an unknown path (404) from an unknown method (405 with `Allow`). */
export class RouteTable {
  private readonly routes = new Map<string, KnownRoute>();

  /** Call it before any route is added. */
  watch(instance: FastifyInstance): void {
    instance.addHook('onRoute', ({ url, method }) => {
      const methods = typeof method === 'string' ? [method] : method;
      const known = this.routes.get(url) ?? { pattern: patternOf(url), methods: new Set() };
      for (const each of methods) known.methods.add(each);
      this.routes.set(url, known);
    });
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

function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+';
    return part === '*' ? '.*' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  });
  return new RegExp(`^${parts.join('/')}$`);
}
