/** How cookies are set: `secure` unless the server has no TLS. */
export interface CookieSettings {
  readonly secure: boolean;
}

/** The cookies we set: a session, and a sign-in at a provider that is under way. */
export type CookieName = 'session' | 'sign-in';

/** The value of one of our cookies in the request's `Cookie` header. */
export function readCookie(header: string | undefined, name: CookieName, settings: CookieSettings): string | undefined {
  const wanted = fullName(name, settings);
  for (const part of (header ?? '').split(';')) {
    const [key = '', value = ''] = part.split('=', 2);
    if (key.trim() === wanted && value !== '') return value.trim();
  }
  return undefined;
}

/** A `Set-Cookie` that no script and no other site can use; `Lax`, so that links into the product work. */
export function setCookie(name: CookieName, value: string, settings: CookieSettings): string {
  return `${fullName(name, settings)}=${value}; ${attributes(settings)}`;
}

/** A `Set-Cookie` that removes the cookie. */
export function clearCookie(name: CookieName, settings: CookieSettings): string {
  return `${fullName(name, settings)}=; Max-Age=0; ${attributes(settings)}`;
}

/** With the prefix, browsers keep plain HTTP and sub-domains from planting it. */
function fullName(name: CookieName, { secure }: CookieSettings): string {
  return `${secure ? '__Host-' : ''}vic-${name}`;
}

function attributes({ secure }: CookieSettings): string {
  return `Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
}
