import { describe, expect, it } from 'vitest';
import { VicError, describeError, httpStatusOf, isVicError, toVicError } from './index.ts';

const missing = new VicError({
  class: 'NotFound',
  code: 'IMAGE_NOT_FOUND',
  message: 'No such image: busybox.',
  remedy: 'Pull it first: docker pull busybox.',
});

describe('VicError', () => {
  it('isVicError() matches on class and code', () => {
    expect(isVicError(missing, { class: 'NotFound' })).toBe(true);
    expect(isVicError(missing, { code: 'IMAGE_NOT_FOUND' })).toBe(true);
    expect(isVicError(missing, { class: 'Conflict' })).toBe(false);
    expect(isVicError(new Error('x'))).toBe(false);
  });

  it('toVicError() wraps foreign errors as Internal and keeps the cause', () => {
    const foreign = new Error('disk on fire');
    const wrapped = toVicError(foreign);
    expect(wrapped.class).toBe('Internal');
    expect(wrapped.cause).toBe(foreign);
    expect(toVicError(missing)).toBe(missing);
  });

  it('httpStatusOf() gives each class its status', () => {
    expect(httpStatusOf('NotFound')).toBe(404);
    expect(httpStatusOf('NotSupported')).toBe(501);
  });

  it('describeError() appends the remedy', () => {
    expect(describeError(missing)).toBe('No such image: busybox. Pull it first: docker pull busybox.');
  });
});
