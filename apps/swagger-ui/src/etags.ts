const VERSIONED =
  /^(\/v1\/operations\/[^/]+\/credentials\/[^/]+|\/v1\/(?:operations|apis|resource-servers|users)\/[^/]+)(?:\/[^/]+)*$/;
const COLLECTION = /\/credentials$/;

/**
 * The thing whose ETag an answer or request at this path has. Lists below a credential have the credential's.
 * @returns undefined where there is none
 */
export function versionedPath(path: string): string | undefined {
  return COLLECTION.test(path) ? undefined : VERSIONED.exec(path)?.[1];
}

/** The last ETag that was seen of each thing. */
export class SeenEtags {
  private readonly etags = new Map<string, string>();

  /** Of an answer that the page shows. @param location of what was created, if it was */
  saw(path: string, etag: string | undefined, location?: string): void {
    const thing = versionedPath(location ?? path);
    if (thing !== undefined && etag !== undefined && etag !== '') this.etags.set(thing, etag);
  }

  /** Of a look-up that shows no more than the name: it must not replace one that came with all of the thing. */
  sawName(path: string, etag: string | null): void {
    const thing = versionedPath(path);
    if (thing !== undefined && etag !== null && !this.etags.has(thing)) this.etags.set(thing, etag);
  }

  forget(path: string): void {
    this.etags.delete(path);
  }

  of(path: string): string | undefined {
    return this.etags.get(versionedPath(path) ?? '');
  }
}
