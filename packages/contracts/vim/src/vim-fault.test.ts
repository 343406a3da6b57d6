import { httpStatusOf } from '@vic/errors';
import { expect, it } from 'vitest';
import { dataTypeMeta, isFault, make, VimFault, type DataTypeName } from './index.ts';

function faultOf(type: DataTypeName): VimFault {
  return new VimFault({ fault: { $type: type }, message: 'It failed.' });
}

it.each([
  ['NotAuthenticated', 'Unauthenticated', 'VIM_NOT_AUTHENTICATED'],
  ['InvalidLogin', 'Unauthenticated', 'VIM_INVALID_LOGIN'],
  ['NoPermission', 'PermissionDenied', 'VIM_NO_PERMISSION'],
  ['ManagedObjectNotFound', 'NotFound', 'VIM_MANAGED_OBJECT_NOT_FOUND'],
  ['FileNotFound', 'NotFound', 'VIM_FILE_NOT_FOUND'],
  ['DuplicateName', 'AlreadyExists', 'VIM_DUPLICATE_NAME'],
  ['FileAlreadyExists', 'AlreadyExists', 'VIM_FILE_ALREADY_EXISTS'],
  ['ConcurrentAccess', 'Conflict', 'VIM_CONCURRENT_ACCESS'],
  ['InvalidPowerState', 'Conflict', 'VIM_INVALID_POWER_STATE'],
  ['TaskInProgress', 'Conflict', 'VIM_TASK_IN_PROGRESS'],
  ['InsufficientMemoryResourcesFault', 'ResourceExhausted', 'VIM_INSUFFICIENT_MEMORY_RESOURCES_FAULT'],
  ['NotSupported', 'NotSupported', 'VIM_NOT_SUPPORTED'],
  ['InvalidDeviceSpec', 'InvalidArgument', 'VIM_INVALID_DEVICE_SPEC'],
  ['SystemError', 'Internal', 'VIM_SYSTEM_ERROR'],
] as const)('the fault %s is of the class %s', (type, errorClass, code) => {
  expect(dataTypeMeta(type)).toBeDefined();
  expect(faultOf(type)).toMatchObject({ class: errorClass, code, faultType: type });
  expect(httpStatusOf(faultOf(type).class)).toBeGreaterThanOrEqual(400);
});

it('isFault() follows base types and knows its own class only', () => {
  expect(isFault(faultOf('VAppTaskInProgress'), 'TaskInProgress')).toBe(true);
  expect(isFault(faultOf('TaskInProgress'), 'VAppTaskInProgress')).toBe(false);
  expect(isFault(new Error('other'), 'MethodFault')).toBe(false);
});

it('a fault survives the form it has inside data objects', () => {
  const fault = new VimFault({ fault: make('InvalidName', { name: '' }), message: 'A name must not be empty.' });
  expect(VimFault.fromLocalized(fault.toLocalized())).toMatchObject({ message: fault.message, fault: fault.fault });
  const nameless = VimFault.fromLocalized({ fault: make('InvalidName', { name: '' }) }, 'Rename_Task');
  expect(nameless.message).toBe('Rename_Task: The server answered InvalidName.');
});
