import { Type } from 'typebox';
import type { Static } from 'typebox';

const strings = Type.Array(Type.String());
const stringMap = Type.Record(Type.String(), Type.String());
const emptyObjects = Type.Record(Type.String(), Type.Object({}));
/** A command is a list; Docker also takes a single string for a list of one. */
const command = Type.Union([strings, Type.String()]);

/** `HealthConfig` on the wire. */
const HealthConfigSchema = Type.Object({
  Test: Type.Optional(strings),
  Interval: Type.Optional(Type.Integer()),
  Timeout: Type.Optional(Type.Integer()),
  Retries: Type.Optional(Type.Integer()),
  StartPeriod: Type.Optional(Type.Integer()),
  StartInterval: Type.Optional(Type.Integer()),
});

/** `ContainerConfig` on the wire: what a container runs. */
export const ContainerConfigSchema = Type.Object({
  Hostname: Type.Optional(Type.String()),
  Domainname: Type.Optional(Type.String()),
  User: Type.Optional(Type.String()),
  AttachStdin: Type.Optional(Type.Boolean()),
  AttachStdout: Type.Optional(Type.Boolean()),
  AttachStderr: Type.Optional(Type.Boolean()),
  ExposedPorts: Type.Optional(emptyObjects),
  Tty: Type.Optional(Type.Boolean()),
  OpenStdin: Type.Optional(Type.Boolean()),
  StdinOnce: Type.Optional(Type.Boolean()),
  Env: Type.Optional(strings),
  Cmd: Type.Optional(command),
  Healthcheck: Type.Optional(HealthConfigSchema),
  ArgsEscaped: Type.Optional(Type.Boolean()),
  Image: Type.Optional(Type.String()),
  Volumes: Type.Optional(emptyObjects),
  WorkingDir: Type.Optional(Type.String()),
  Entrypoint: Type.Optional(command),
  NetworkDisabled: Type.Optional(Type.Boolean()),
  MacAddress: Type.Optional(Type.String()),
  OnBuild: Type.Optional(strings),
  Labels: Type.Optional(stringMap),
  StopSignal: Type.Optional(Type.String()),
  StopTimeout: Type.Optional(Type.Integer()),
  Shell: Type.Optional(strings),
});

/** See {@link ContainerConfigSchema}. */
export type ContainerConfig = Static<typeof ContainerConfigSchema>;
