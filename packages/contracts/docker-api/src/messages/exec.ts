import { Type } from 'typebox';
import type { Static } from 'typebox';

const flag = Type.Optional(Type.Boolean());
const consoleSize = Type.Optional(Type.Array(Type.Integer(), { minItems: 2, maxItems: 2 }));

/** The body of `POST /containers/{id}/exec`. */
export const ExecCreateSchema = Type.Object({
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  ConsoleSize: consoleSize,
  DetachKeys: Type.Optional(Type.String()),
  Tty: flag,
  Env: Type.Optional(Type.Array(Type.String())),
  Cmd: Type.Optional(Type.Array(Type.String())),
  Privileged: flag,
  User: Type.Optional(Type.String()),
  WorkingDir: Type.Optional(Type.String()),
});

/** The body of `POST /exec/{id}/start`. */
export const ExecStartSchema = Type.Object({ Detach: flag, Tty: flag, ConsoleSize: consoleSize });

/** See {@link ExecCreateSchema}. */
export type ExecCreate = Static<typeof ExecCreateSchema>;
