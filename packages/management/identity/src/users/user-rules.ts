import { VicError } from '@vic/errors';
import type { UserProfile } from './user.ts';

/** Harbor's forbidden characters; control characters besides. */
const ILLEGAL = /[,"~#%$\p{Cc}]/u;
const EMAIL = /^[^<>()[\]\\.,;:\s@"]+(\.[^<>()[\]\\.,;:\s@"]+)*@([a-zA-Z0-9-]+\.)+[a-zA-Z]{2,}$/;
const MAX_NAME_LENGTH = 255;
const MAX_COMMENT_LENGTH = 30;

/** Refuses a name that cannot be a user's; `robotPrefixes` begin the names of robots. */
export function requireUserName(name: string, robotPrefixes: readonly string[]): void {
  if (name.trim() === '' || name.length > MAX_NAME_LENGTH) throw invalid('username with illegal length');
  if (ILLEGAL.test(name) || name !== name.trim()) throw invalid('username contains illegal characters');
  const prefix = robotPrefixes.find((candidate) => name.toLowerCase().startsWith(candidate.toLowerCase()));
  if (prefix !== undefined) throw invalid(`username must not begin as a robot's name does: ${prefix}`);
}

/** Refuses a profile that Harbor refuses, in Harbor's words. */
export function requireProfile({ email, realName, comment }: UserProfile): void {
  if (email === '') throw invalid("email can't be empty");
  if (email.length > MAX_NAME_LENGTH || !EMAIL.test(email)) throw invalid('email with illegal format');
  if (realName === '' || realName.length > MAX_NAME_LENGTH) throw invalid('realname with illegal length');
  if (ILLEGAL.test(realName)) throw invalid('realname contains illegal characters');
  if (comment.length > MAX_COMMENT_LENGTH) throw invalid('comment with illegal length');
}

/** A name from an outside source with what is forbidden here replaced. */
export function tamedName(name: string): string {
  return name
    .trim()
    .replaceAll(/\s+/g, '_')
    .replaceAll(new RegExp(ILLEGAL.source, 'gu'), '_')
    .slice(0, MAX_NAME_LENGTH);
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'USER_INVALID', message });
}
