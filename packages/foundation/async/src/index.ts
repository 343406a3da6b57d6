export { delay, withDeadline } from './deadline.ts';
export { pollUntil, retry } from './retry.ts';
export type { RetryOptions } from './retry.ts';
export { mapLimit } from './map-limit.ts';
export { KeyedMutex, Mutex, SingleFlight } from './mutex.ts';
export { AsyncQueue, Broadcast } from './broadcast.ts';
