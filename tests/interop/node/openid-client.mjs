// openid-client: the same author's larger library, as applications use it. Nothing is loosened but https, on this machine.
import * as openid from 'openid-client'

import { task } from './dialogue.mjs'
import { tell } from './story.mjs'

const METHODS = {
  client_secret_basic: openid.ClientSecretBasic,
  client_secret_post: openid.ClientSecretPost,
  none: openid.None,
}

async function connect({ client_id, client_secret, method, redirect_uri }) {
  const configuration = await openid.discovery(new URL(task.issuer), client_id, undefined, METHODS[method](client_secret), {
    algorithm: 'oauth2',
    execute: [openid.allowInsecureRequests],
  })

  return {
    async begin() {
      const [verifier, state] = [openid.randomPKCECodeVerifier(), openid.randomState()]
      const url = openid.buildAuthorizationUrl(configuration, {
        redirect_uri,
        scope: task.scope,
        state,
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      })
      return { url, verifier, state }
    },

    redeem: (back, { verifier, state }) =>
      openid.authorizationCodeGrant(configuration, back, { pkceCodeVerifier: verifier, expectedState: state }),

    refresh: ({ refresh_token }) => openid.refreshTokenGrant(configuration, refresh_token),

    introspect: (token) => openid.tokenIntrospection(configuration, token),

    revoke: ({ refresh_token }) =>
      openid.tokenRevocation(configuration, refresh_token, { token_type_hint: 'refresh_token' }),

    async use({ access_token }) {
      const resource = new URL(`${task.issuer}/alexa/verify`)
      const response = await openid.fetchProtectedResource(configuration, access_token, resource, 'GET')
      return response.headers.get('X-OAuth-Subject')
    },
  }
}

await tell(connect, { judgesReturns: true })
