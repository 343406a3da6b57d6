import type { Model, ModelDataType, ModelMethod } from './model.ts';

const SINCE = '2.0';

/** What {@link QUERY_DISK_INFO} tells of each disk. */
const DISK_TYPES: readonly ModelDataType[] = [
  {
    name: 'VirtualDiskManagerDiskUnit',
    base: 'DynamicData',
    since: SINCE,
    properties: [
      { name: 'name', type: 'string', optional: false, since: SINCE },
      { name: 'datacenter', type: '@Datacenter', optional: true, since: SINCE },
    ],
  },
  {
    name: 'VirtualDiskInfo',
    base: 'DynamicData',
    since: SINCE,
    properties: [
      { name: 'unit', type: 'VirtualDiskManagerDiskUnit', optional: false, since: SINCE },
      { name: 'diskType', type: 'string', optional: false, since: SINCE },
      { name: 'parent', type: 'string', optional: true, since: SINCE },
    ],
  },
];

/** In no published table, yet `govc datastore.disk.info` calls it (govmomi's `internal` package describes it). */
const QUERY_DISK_INFO: ModelMethod = {
  name: 'QueryVirtualDiskInfo_Task',
  owner: 'VirtualDiskManager',
  since: SINCE,
  parameters: [
    { name: 'name', type: 'string', optional: false, since: SINCE },
    { name: 'datacenter', type: '@Datacenter', optional: true, since: SINCE },
    { name: 'includeParents', type: 'boolean', optional: false, since: SINCE },
  ],
  result: '@Task',
  resultOptional: false,
  taskResult: 'VirtualDiskInfo[]',
  privilege: 'System.View',
  faults: ['FileFault', 'InvalidDatastore'],
};

/** Adds what hosts serve and clients call although the tables leave it out. */
export function withSupplements(model: Model): Model {
  const { managedTypes, dataTypes } = model;
  const manager = managedTypes.get(QUERY_DISK_INFO.owner);
  if (manager === undefined) throw new Error(`The tables do not define ${QUERY_DISK_INFO.owner}`);
  const completed = { ...manager, methods: [...manager.methods, QUERY_DISK_INFO] };
  return {
    ...model,
    dataTypes: new Map([...dataTypes, ...DISK_TYPES.map((type) => [type.name, type] as const)]),
    managedTypes: new Map([...managedTypes, [completed.name, completed]]),
  };
}
