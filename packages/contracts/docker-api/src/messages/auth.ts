import { Type } from 'typebox';

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
