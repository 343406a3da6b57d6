import { invalid } from '../http/docker-error.ts';

const NAMES =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  );

/** Linux's signals by name without `SIG`, aliases included. */
export const SIGNAL_NUMBERS: ReadonlyMap<string, number> = new Map([
  ...NAMES.map((name, index): [string, number] => [name, index + 1]),
  ['IOT', 6],
  ['CLD', 17],
  ['POLL', 29],
  ...Array.from({ length: 15 }, (_, n): [string, number] => [`RTMIN+${n + 1}`, 35 + n]),
  ...Array.from({ length: 14 }, (_, n): [string, number] => [`RTMAX-${n + 1}`, 63 - n]),
  ['RTMIN', 34],
  ['RTMAX', 64],
]);

/** A signal as `SIGTERM` from what clients write (`TERM`, `sigterm`, `15`); refuses what is none, in Docker's words. */
export function parseSignal(text: string): string {
  const wanted = text.trim().toUpperCase();
  if (/^\d{1,3}$/.test(wanted)) {
    const found = [...SIGNAL_NUMBERS].find(([, number]) => number === Number(wanted));
    if (found !== undefined) return `SIG${found[0]}`;
  }
  const name = wanted.replace(/^SIG/, '');
  if (!SIGNAL_NUMBERS.has(name)) throw invalid(`Invalid signal: ${text.slice(0, 64)}`);
  return `SIG${name}`;
}
