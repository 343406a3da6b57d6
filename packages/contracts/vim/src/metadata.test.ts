import { expect, it } from 'vitest';
import {
  dataTypeMeta,
  dataTypeNames,
  enumMeta,
  isDataSubtype,
  isManagedSubtype,
  managedTypeMeta,
  managedTypeNames,
  methodMeta,
  methodNames,
  parsePropertyPath,
  propertyAt,
} from './index.ts';

it('the properties of base types come first', () => {
  const names = dataTypeMeta('VirtualDisk')?.properties.map((property) => property.name);
  expect(names?.slice(0, 4)).toEqual(['dynamicType', 'dynamicProperty', 'key', 'deviceInfo']);
  expect(names).toContain('capacityInKB');
});

it('faults inside data objects travel as LocalizedMethodFault', () => {
  expect(dataTypeMeta('TaskInfo')?.byName.get('error')?.type).toBe('LocalizedMethodFault');
  expect(dataTypeMeta('MissingProperty')?.byName.get('fault')?.type).toBe('LocalizedMethodFault');
  expect(dataTypeMeta('LocalizedMethodFault')?.byName.get('fault')?.type).toBe('MethodFault');
});

it('links to data objects travel as keys', () => {
  expect(dataTypeMeta('HostVirtualSwitch')?.byName.get('portgroup')?.type).toBe('string[]');
});

it('every type that is mentioned is defined', () => {
  const simple = new Set([
    'string',
    'boolean',
    'byte',
    'short',
    'int',
    'long',
    'float',
    'double',
    'dateTime',
    'binary',
    'anyType',
    'void',
  ]);
  const isDefined = (type: string): boolean =>
    simple.has(type) ||
    (type.startsWith('@') ? managedTypeMeta(type.slice(1)) : (dataTypeMeta(type) ?? enumMeta(type))) !== undefined;
  const data = dataTypeNames().flatMap((name) => dataTypeMeta(name)?.properties ?? []);
  const managed = managedTypeNames().flatMap((name) => managedTypeMeta(name)?.properties ?? []);
  const parameters = methodNames().flatMap((name) => methodMeta(name)?.parameters ?? []);
  const results = methodNames().map((name) => methodMeta(name)?.result.replace('[]', '') ?? '');
  const types = [...data, ...managed, ...parameters].map((property) => property.itemType);
  expect([...new Set([...types, ...results])].filter((type) => !isDefined(type))).toEqual([]);
  expect(
    methodNames()
      .flatMap((name) => methodMeta(name)?.faults ?? [])
      .filter((type) => !isDefined(type)),
  ).toEqual([]);
});

it('methods have owners, privileges and task results', () => {
  expect(methodMeta('CreateVM_Task')).toMatchObject({
    owner: 'Folder',
    privilege: 'VirtualMachine.Inventory.Create',
    result: '@Task',
    taskResult: '@VirtualMachine',
  });
  expect(methodMeta('InstantClone_Task')?.parameters[0]?.type).toBe('VirtualMachineInstantCloneSpec');
});

it('base chains are followed', () => {
  expect(isDataSubtype('InvalidPowerState', 'VimFault')).toBe(true);
  expect(isDataSubtype('VirtualDisk', 'VirtualController')).toBe(false);
  expect(isManagedSubtype('VirtualApp', 'ManagedEntity')).toBe(true);
  expect(isManagedSubtype('Task', 'ManagedEntity')).toBe(false);
});

it.each([
  ['name', 'string'],
  ['runtime.powerState', 'VirtualMachinePowerState'],
  ['config.hardware.device', 'VirtualDevice[]'],
  ['config.hardware.device[2000]', 'VirtualDevice'],
  ['config.hardware.device[2000].backing', 'VirtualDeviceBackingInfo'],
  ['config.extraConfig["guestinfo.vic.id"].value', 'anyType'],
  ['config.hardware.device.backing', undefined],
  ['config.nothing', undefined],
  ['config..name', undefined],
  ['config.name.', undefined],
])('the declared type of the virtual machine property %s is %s', (path, type) => {
  expect(propertyAt('VirtualMachine', path)?.type).toBe(type);
});

it('parsePropertyPath() keeps dots inside keys', () => {
  expect(parsePropertyPath('config.extraConfig["a.b"]')).toEqual([
    { name: 'config' },
    { name: 'extraConfig', key: 'a.b' },
  ]);
});
