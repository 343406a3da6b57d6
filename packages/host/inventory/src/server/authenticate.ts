import type { HttpRequest } from '@vic/http';
import type { Host } from '../model/host.ts';
import type { Session } from './sessions.ts';

/** The cookie that names a session. */
export const SESSION_COOKIE = 'vmware_soap_session';
const TICKET_COOKIE = 'vmware_cgi_ticket';

/** The session that a request's cookie names. */
export function sessionOf(host: Host, request: HttpRequest): Session | undefined {
  const token = cookie(request, SESSION_COOKIE);
  return token === undefined ? undefined : host.sessions.use(token);
}

/** The user of a file transfer, by session, by ticket or by HTTP Basic; `undefined` when none of them is right. */
export async function transferUser(host: Host, request: HttpRequest): Promise<string | undefined> {
  const session = sessionOf(host, request);
  if (session !== undefined) return session.userName;
  const ticket = cookie(request, TICKET_COOKIE);
  if (ticket !== undefined) return host.sessions.redeemTicket(ticket)?.userName;
  const basic = /^Basic ([A-Za-z0-9+/=]{1,4096})$/i.exec(request.headers.authorization ?? '')?.[1];
  if (basic === undefined) return undefined;
  const [name = '', ...password] = Buffer.from(basic, 'base64').toString('utf8').split(':');
  return (await host.users.verify(name, password.join(':')))?.name;
}

function cookie(request: HttpRequest, name: string): string | undefined {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [key = '', ...value] = part.trim().split('=');
    if (key === name) return value.join('=').replace(/^"|"$/g, '');
  }
  return undefined;
}
