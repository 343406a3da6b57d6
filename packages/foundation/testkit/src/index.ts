export { temporaryDirectory } from './temporary-directory.ts';
export { freePort } from './free-port.ts';
