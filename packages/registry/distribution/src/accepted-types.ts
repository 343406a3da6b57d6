/** What a client that asks for a manifest can read. */
export interface AcceptedTypes {
  /** In the client's order, for asking another registry the same; empty when the client said nothing. */
  readonly types: readonly string[];
  accepts(mediaType: string): boolean;
}

const EVERYTHING: ReadonlySet<string> = new Set(['*/*', 'application/*', 'application/json']);
const MAX_TYPES = 50;

/** Reads `Accept`. Who says nothing, or something that covers JSON, reads everything. */
export function parseAccept(header: string | undefined): AcceptedTypes {
  const types = (header ?? '')
    .split(',', MAX_TYPES)
    .map((entry) => entry.split(';')[0]?.trim() ?? '')
    .filter(Boolean);
  const everything = types.length === 0 || types.some((type) => EVERYTHING.has(type));
  return { types, accepts: (mediaType) => everything || types.includes(mediaType) };
}
