import { VicError } from '@vic/errors';

const NAME = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const MAX_LENGTH = 255;

/** Refuses what cannot be the first component of a repository's name. */
export function checkProjectName(name: string): void {
  if (name.length > 0 && name.length <= MAX_LENGTH && NAME.test(name)) return;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'PROJECT_NAME_INVALID',
    message:
      name.length === 0 || name.length > MAX_LENGTH
        ? `project name must have from 1 to ${MAX_LENGTH} characters`
        : 'project name is not in lower case or contains illegal characters',
  });
}
