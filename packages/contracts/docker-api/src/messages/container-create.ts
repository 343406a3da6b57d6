import { Type } from 'typebox';
import type { Static } from 'typebox';
import { ContainerConfigSchema } from './container-config.ts';
import { HostConfigSchema } from './host-config.ts';

const text = Type.Optional(Type.String());
const strings = Type.Optional(Type.Array(Type.String()));
const integer = Type.Optional(Type.Integer());

/** `EndpointSettings` on the wire: a container's place in one network, as asked. */
export const EndpointSettingsSchema = Type.Object({
  IPAMConfig: Type.Optional(Type.Object({ IPv4Address: text, IPv6Address: text, LinkLocalIPs: strings })),
  Links: strings,
  MacAddress: text,
  Aliases: strings,
  DriverOpts: Type.Optional(Type.Record(Type.String(), Type.String())),
  GwPriority: Type.Optional(Type.Number()),
  NetworkID: text,
  EndpointID: text,
  Gateway: text,
  IPAddress: text,
  IPPrefixLen: integer,
  IPv6Gateway: text,
  GlobalIPv6Address: text,
  GlobalIPv6PrefixLen: integer,
  DNSNames: strings,
});

/** `NetworkingConfig` on the wire. */
export const NetworkingConfigSchema = Type.Object({
  EndpointsConfig: Type.Optional(Type.Record(Type.String(), EndpointSettingsSchema)),
});

/** The body of `POST /containers/create`. */
export const ContainerCreateSchema = Type.Intersect([
  ContainerConfigSchema,
  Type.Object({
    HostConfig: Type.Optional(HostConfigSchema),
    NetworkingConfig: Type.Optional(NetworkingConfigSchema),
  }),
]);

/** See {@link EndpointSettingsSchema}. */
export type EndpointSettings = Static<typeof EndpointSettingsSchema>;
/** See {@link NetworkingConfigSchema}. */
export type NetworkingConfig = Static<typeof NetworkingConfigSchema>;
/** See {@link ContainerCreateSchema}. */
export type ContainerCreate = Static<typeof ContainerCreateSchema>;
