/** What a registry asks for in a `WWW-Authenticate` header. */
export type Challenge =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service: string; readonly scope: string };

const PARAMETER = /^\s*([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,|$)/;
const MAX_CHALLENGE_LENGTH = 4096;

/** Parses one header line (RFC 9110, section 11.6.1); `undefined` when it is malformed or of another scheme. */
export function parseChallenge(line: string): Challenge | undefined {
  if (line.length > MAX_CHALLENGE_LENGTH) return undefined;
  const [, scheme = '', rest = ''] = /^\s*([A-Za-z]+)(?:\s+(.*))?$/s.exec(line) ?? [];
  if (scheme.toLowerCase() === 'basic') return { scheme: 'basic' };
  if (scheme.toLowerCase() !== 'bearer') return undefined;
  const parameters = new Map<string, string>();
  for (let left = rest; left.trim() !== '';) {
    const match = PARAMETER.exec(left);
    if (match === null) return undefined;
    const [whole, name = '', quoted, bare] = match;
    parameters.set(name.toLowerCase(), quoted === undefined ? (bare ?? '') : quoted.replaceAll(/\\(.)/g, '$1'));
    left = left.slice(whole.length);
  }
  const realm = parameters.get('realm') ?? '';
  if (!/^https?:$/.test(URL.parse(realm)?.protocol ?? '')) return undefined;
  return { scheme: 'bearer', realm, service: parameters.get('service') ?? '', scope: parameters.get('scope') ?? '' };
}
