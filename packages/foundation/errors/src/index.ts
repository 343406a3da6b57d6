export { VicError, describeError, httpStatusOf, isVicError, toVicError } from './vic-error.ts';
export type { ErrorClass, VicErrorInit } from './vic-error.ts';
