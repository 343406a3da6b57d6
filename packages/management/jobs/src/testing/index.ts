export { restCaller } from './rest-caller.ts';
export type { RestAnswer, RestCaller } from './rest-caller.ts';
