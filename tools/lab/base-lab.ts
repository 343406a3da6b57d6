import { Lab } from './lab.ts';

/** The lab of `./vic up`. Outside any home directory: machines run as users that could not enter one. */
export const BASE_LAB = { instance: 'lab', directory: '/var/lib/vic/lab', vch: 'vch1' } as const;

/** The lab of `./vic up`, running or not. */
export function openLab(): Lab {
  return new Lab(BASE_LAB.instance, BASE_LAB.directory);
}
