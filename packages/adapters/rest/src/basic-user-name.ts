/** People type all kinds of things into the field for names, and what they type is recorded. */
const MAX_NAME_LENGTH = 255;

/** The user's name in a Basic header; empty for other credentials. */
export function basicUserName(authorization: string | undefined): string {
  const value = /^basic +(\S+)$/i.exec(authorization?.trim() ?? '')?.[1] ?? '';
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  return decoded.slice(0, Math.max(0, decoded.indexOf(':'))).slice(0, MAX_NAME_LENGTH);
}
