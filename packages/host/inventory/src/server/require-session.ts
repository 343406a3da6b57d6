import { VimFault, make } from '@vic/vim';
import type { Call } from '../model/call.ts';
import type { Session } from './sessions.ts';

/** The session of a call; NotAuthenticated when there is none. */
export function requireSession(call: Call): Session {
  if (call.session !== undefined) return call.session;
  throw new VimFault({
    fault: make('NotAuthenticated', {
      object: { type: 'SessionManager', value: 'ha-sessionmgr' },
      privilegeId: 'System.View',
    }),
    message: 'The session is not authenticated.',
    remedy: 'Log in first.',
  });
}
