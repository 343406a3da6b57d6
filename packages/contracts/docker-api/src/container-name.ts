import { VicError } from '@vic/errors';

const ALLOWED = '[a-zA-Z0-9][a-zA-Z0-9_.-]';
const PATTERN = /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
/** A name becomes part of a VM's name and a datastore folder's, which vSphere limits to 80 characters with the id. */
const MAX_NAME_LENGTH = 200;

/** The name without its leading slash; refuses what Docker refuses, in Docker's words. */
export function parseContainerName(name: string): string {
  if (!PATTERN.test(name) || name.length > MAX_NAME_LENGTH) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'CONTAINER_NAME_INVALID',
      message: `Invalid container name (${name.slice(0, MAX_NAME_LENGTH)}), only ${ALLOWED} are allowed`,
    });
  }
  return name.replace(/^\//, '');
}
