export { readLog } from './read-log.ts';
export type { LogFiles, LogSource } from './read-log.ts';
