import type { MethodArgs, MethodName, MethodResult } from '@vic/vim';
import type { Session } from '../server/sessions.ts';

/** Who calls, and until when an answer is wanted. */
export interface Call {
  /** `undefined` for the few methods that need no login. */
  readonly session: Session | undefined;
  readonly userName: string;
  /** Fires when the caller goes away or the server stops. */
  readonly signal: AbortSignal;
  readonly clientAddress: string;
}

/** The methods of a kind of managed object. */
export type Handlers<T> = {
  readonly [M in MethodName]?: (self: T, args: MethodArgs<M>, call: Call) => Promise<MethodResult<M>> | MethodResult<M>;
};
