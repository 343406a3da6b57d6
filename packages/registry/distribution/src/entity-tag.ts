/** Whether a conditional header names this content: `*`, or its digest quoted or not, weak or not, in a list. */
export function namesDigest(header: string | undefined, digest: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((entry) => {
    const tag = entry
      .trim()
      .replace(/^W\//, '')
      .replace(/^"(.*)"$/, '$1');
    return tag === '*' || tag === digest;
  });
}
