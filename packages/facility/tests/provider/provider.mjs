// An OpenID provider on loopback with the claims of INDIGO IAM, started by tests.
// Its settings are a line of JSON on standard input; what it is told later arrives as further lines,
// each answered by one line.

import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { Provider } from 'oidc-provider';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => JSON.parse((await lines.next()).value ?? 'null');
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const { port, client, users, lifetime } = await next();
const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
const state = { users, idToken: null, refusesRefresh: false, isDown: false, refreshes: 0 };
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  clients: [client],
  jwks: { keys: [{ ...key, kid: 'test', use: 'sig', alg: 'RS256' }] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  scopes: ['openid', 'profile', 'offline_access'],
  claims: { openid: ['sub'], profile: ['preferred_username', 'groups', 'wlcg.groups'] },
  conformIdTokenClaims: true,
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: () => true,
  ttl: { AccessToken: lifetime, IdToken: lifetime, RefreshToken: 3600, Session: 3600, Grant: 3600, Interaction: 600 },
  findAccount: (_, name) => state.users[name] && {
    accountId: name,
    claims: () => ({ sub: name, ...state.users[name] }),
  },
  async loadExistingGrant(ctx) { // nobody is asked for consent
    const { session, client: asking } = ctx.oidc;
    const grant = new ctx.oidc.provider.Grant({ accountId: session.accountId, clientId: asking.clientId });
    grant.addOIDCScope('openid profile offline_access');
    await grant.save();
    return grant;
  },
});

provider.use(async (ctx, following) => {
  if (state.isDown) { ctx.throw(503); }
  await following();
  if (ctx.oidc?.route !== 'token') { return; }
  const isRefresh = ctx.oidc.params?.grant_type === 'refresh_token';
  if (isRefresh) { state.refreshes += 1; }
  if (isRefresh && state.refusesRefresh) {
    ctx.status = 400;
    ctx.body = { error: 'invalid_grant', error_description: 'the refresh token has expired' };
  } else if (state.idToken && ctx.body?.id_token) {
    ctx.body = { ...ctx.body, id_token: state.idToken };
  }
});

await new Promise((resolve) => createServer(provider.callback()).listen(port, '127.0.0.1', resolve));
say({ issuer, key });
for (let told = await next(); told; told = await next()) {
  Object.assign(state, told);
  say({ refreshes: state.refreshes });
}
process.exit(0);
