const MIB = 2 ** 20;

/** S3 takes no smaller part than this but the last. */
export const MIN_PART_BYTES = 5 * MIB;
/** S3 takes at most 10,000 parts: growing by 5 MiB every thousand, they hold 275 GiB. */
const PARTS_PER_SIZE = 1000;

/** How large the part of that number, from 1, is made. */
export function partSize(number: number): number {
  return MIN_PART_BYTES * (1 + Math.floor((number - 1) / PARTS_PER_SIZE));
}
