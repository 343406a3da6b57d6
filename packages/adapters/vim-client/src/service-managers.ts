import { VicError } from '@vic/errors';
import type { ServiceContent } from '@vic/vim';
import type { VimCaller } from './vim-client.ts';

/** A manager that not every server has, or a named error. */
export function requireManager<K extends keyof ServiceContent>(
  client: VimCaller,
  name: K,
): NonNullable<ServiceContent[K]> {
  const manager = client.content[name];
  if (manager !== undefined) return manager;
  throw new VicError({
    class: 'NotSupported',
    code: 'VIM_MANAGER_MISSING',
    message: `${client.content.about.fullName} has no ${name}.`,
  });
}
