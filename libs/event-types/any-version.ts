/** Matches an event type in every version: a log may hold older ones. The fixed beginning lets an index serve it. */
export function anyVersion({ type }: { readonly type: string }): RegExp {
  const [name = ''] = type.split(/\.v\d+$/);
  return new RegExp(`^${name.replaceAll('.', '\\.')}\\.v`);
}
