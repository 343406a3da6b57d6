import { tarError } from './tar-error.ts';

/** PATH_MAX without its final zero. */
const MAX_PATH_BYTES = 4095;
/** NAME_MAX. */
const MAX_COMPONENT_BYTES = 255;

/** A byte string as text, with U+FFFD for what is not UTF-8. */
export function nameText(name: string): string {
  return Buffer.from(name, 'latin1').toString('utf8');
}

/**
 * The relative path an archive's name stands for; empty for the root.
 *
 * Leading slashes, empty and `.` components go, `..` is resolved inside the archive. A name that leaves the
 * root, holds a zero byte or is longer than Linux allows is refused.
 */
export function normalizeName(name: string): string {
  if (name.includes('\0')) throw badName(name, 'holds a zero byte');
  const components: string[] = [];
  for (const component of name.split('/')) {
    if (component === '' || component === '.') continue;
    if (component === '..') {
      if (components.pop() === undefined) throw badName(name, 'is outside of the root');
    } else if (component.length > MAX_COMPONENT_BYTES) {
      throw badName(name, 'has a component that is too long');
    } else {
      components.push(component);
    }
  }
  const path = components.join('/');
  if (path.length > MAX_PATH_BYTES) throw badName(name, 'is too long');
  return path;
}

function badName(name: string, reason: string): Error {
  return tarError('TAR_NAME', `The archive's name ${JSON.stringify(nameText(name.slice(0, 200)))} ${reason}.`);
}
