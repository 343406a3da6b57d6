/** Entries of `dc=example,dc=com` for tests; every person's password is the name and `-secret`. */
export const EXAMPLE_DIRECTORY = [
  entry('dc=example,dc=com', ['dcObject', 'organization'], { dc: 'example', o: 'Example' }),
  entry('cn=reader,dc=example,dc=com', ['organizationalRole', 'simpleSecurityObject'], {
    cn: 'reader',
    userPassword: 'reader-secret',
  }),
  unit('people'),
  unit('groups'),
  unit('elsewhere'),
  person('ada', 'Ada Lovelace'),
  person('bob', 'Bob'),
  person('eve*', 'Eve Star'),
  person('dan', 'Dan', ['cn=legacy,ou=groups,dc=example,dc=com']),
  person('twin', 'Twin One'),
  entry('uid=twin,ou=elsewhere,dc=example,dc=com', ['inetOrgPerson'], { uid: 'twin', cn: 'Twin Two', sn: 'Two' }),
  group('devs', ['uid=ada,ou=people,dc=example,dc=com']),
  group('everybody', ['cn=devs,ou=groups,dc=example,dc=com', 'uid=bob,ou=people,dc=example,dc=com']),
  group('admins', ['cn=everybody,ou=groups,dc=example,dc=com', 'cn=loop,ou=groups,dc=example,dc=com']),
  // A directory may hold a circle.
  group('loop', ['cn=admins,ou=groups,dc=example,dc=com']),
  group('legacy', ['uid=nobody,ou=people,dc=example,dc=com']),
  group('outside', ['uid=ada,ou=people,dc=example,dc=com'], 'elsewhere'),
].join('\n');

function unit(name: string): string {
  return entry(`ou=${name},dc=example,dc=com`, ['organizationalUnit'], { ou: name });
}

function person(uid: string, name: string, memberOf: readonly string[] = []): string {
  return entry(`uid=${uid},ou=people,dc=example,dc=com`, ['inetOrgPerson'], {
    uid,
    cn: name,
    sn: name,
    mail: `${uid.replace('*', '')}@example.com`,
    userPassword: `${uid}-secret`,
    memberOf,
  });
}

function group(name: string, members: readonly string[], parent = 'groups'): string {
  return entry(`cn=${name},ou=${parent},dc=example,dc=com`, ['groupOfNames'], { cn: name, member: members });
}

function entry(
  dn: string,
  classes: readonly string[],
  attributes: Readonly<Record<string, string | readonly string[]>>,
): string {
  const lines = Object.entries({ objectClass: classes, ...attributes }).flatMap(([name, values]) =>
    [values].flat().map((value) => `${name}: ${value}`),
  );
  return [`dn: ${dn}`, ...lines, ''].join('\n');
}
