import { Type } from 'typebox';
import type { Static } from 'typebox';

const text = Type.Optional(Type.String());

/** The body of `POST /auth`. */
export const AuthConfigSchema = Type.Object({
  username: text,
  password: text,
  email: text,
  serveraddress: text,
  identitytoken: text,
  registrytoken: text,
});

/** See {@link AuthConfigSchema}. */
export type AuthConfig = Static<typeof AuthConfigSchema>;
