/** The address of the next page in a `Link` header (RFC 8288), if it is on the registry that was asked. */
export function nextPage(link: string | undefined, current: URL): URL | undefined {
  const [, target] = /<([^>]{1,4096})>\s*;[^,]*\brel="?next"?/i.exec(link ?? '') ?? [];
  const next = target === undefined ? null : URL.parse(target, current);
  // The credentials go with the request, so a page is only followed where they were meant for.
  return next !== null && next.origin === current.origin && next.href !== current.href ? next : undefined;
}
