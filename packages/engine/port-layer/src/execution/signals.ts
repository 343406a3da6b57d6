import { constants } from 'node:os';
import { VicError } from '@vic/errors';

/** First and last real-time signal of Linux as glibc numbers them. */
const SIGRTMIN = 34;
const SIGRTMAX = 64;

/** The number of a signal given as Docker takes it: `SIGTERM`, `term`, `15`, `RTMIN+3`. */
export function signalNumber(name: string): number {
  const text = name.trim().toUpperCase().replace(/^SIG/, '');
  const number = /^\d{1,3}$/.test(text) ? Number(text) : (namedSignal(text) ?? realTimeSignal(text));
  if (number === undefined || number < 1 || number > SIGRTMAX) {
    throw new VicError({ class: 'InvalidArgument', code: 'SIGNAL_INVALID', message: `Invalid signal: ${name}` });
  }
  return number;
}

function namedSignal(text: string): number | undefined {
  const signals: Readonly<Record<string, number>> = constants.signals;
  return signals[`SIG${text}`];
}

function realTimeSignal(text: string): number | undefined {
  const match = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(text);
  if (match === null) return undefined;
  const distance = Number(match[3] ?? 0) * (match[2] === '-' ? -1 : 1);
  const number = (match[1] === 'MIN' ? SIGRTMIN : SIGRTMAX) + distance;
  return number >= SIGRTMIN && number <= SIGRTMAX ? number : undefined;
}
