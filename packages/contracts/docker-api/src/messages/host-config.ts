import { Type } from 'typebox';
import type { Static } from 'typebox';

const integer = Type.Optional(Type.Integer());
const text = Type.Optional(Type.String());
const flag = Type.Optional(Type.Boolean());
const strings = Type.Optional(Type.Array(Type.String()));
const stringMap = Type.Optional(Type.Record(Type.String(), Type.String()));
const objects = Type.Optional(Type.Array(Type.Object({})));

const PortBindingSchema = Type.Object({ HostIp: text, HostPort: text });
const UlimitSchema = Type.Object({ Name: text, Soft: integer, Hard: integer });
const MountSchema = Type.Object({ Type: text, Source: text, Target: text });

/** `HostConfig` on the wire: how a container is placed on its host. */
export const HostConfigSchema = Type.Object({
  CpuShares: integer,
  Memory: integer,
  CgroupParent: text,
  BlkioWeight: integer,
  BlkioWeightDevice: objects,
  BlkioDeviceReadBps: objects,
  BlkioDeviceWriteBps: objects,
  BlkioDeviceReadIOps: objects,
  BlkioDeviceWriteIOps: objects,
  CpuPeriod: integer,
  CpuQuota: integer,
  CpuRealtimePeriod: integer,
  CpuRealtimeRuntime: integer,
  CpusetCpus: text,
  CpusetMems: text,
  Devices: objects,
  DeviceCgroupRules: strings,
  DeviceRequests: objects,
  KernelMemory: integer,
  KernelMemoryTCP: integer,
  MemoryReservation: integer,
  MemorySwap: integer,
  MemorySwappiness: integer,
  NanoCpus: integer,
  OomKillDisable: flag,
  Init: flag,
  PidsLimit: integer,
  Ulimits: Type.Optional(Type.Array(UlimitSchema)),
  CpuCount: integer,
  CpuPercent: integer,
  IOMaximumIOps: integer,
  IOMaximumBandwidth: integer,
  Binds: strings,
  ContainerIDFile: text,
  LogConfig: Type.Optional(Type.Object({ Type: text, Config: stringMap })),
  NetworkMode: text,
  PortBindings: Type.Optional(Type.Record(Type.String(), Type.Array(PortBindingSchema))),
  RestartPolicy: Type.Optional(Type.Object({ Name: text, MaximumRetryCount: integer })),
  AutoRemove: flag,
  VolumeDriver: text,
  VolumesFrom: strings,
  Mounts: Type.Optional(Type.Array(MountSchema)),
  ConsoleSize: Type.Optional(Type.Array(Type.Integer(), { minItems: 2, maxItems: 2 })),
  Annotations: stringMap,
  CapAdd: strings,
  CapDrop: strings,
  CgroupnsMode: text,
  Dns: strings,
  DnsOptions: strings,
  DnsSearch: strings,
  ExtraHosts: strings,
  GroupAdd: strings,
  IpcMode: text,
  Cgroup: text,
  Links: strings,
  OomScoreAdj: integer,
  PidMode: text,
  Privileged: flag,
  PublishAllPorts: flag,
  ReadonlyRootfs: flag,
  SecurityOpt: strings,
  StorageOpt: stringMap,
  Tmpfs: stringMap,
  UTSMode: text,
  UsernsMode: text,
  ShmSize: integer,
  Sysctls: stringMap,
  Runtime: text,
  Isolation: text,
  MaskedPaths: strings,
  ReadonlyPaths: strings,
});

/** See {@link HostConfigSchema}. */
export type HostConfig = Static<typeof HostConfigSchema>;
