// oauth4webapi: discovery, the browser's return with state and iss, and every answer's status, content type and members are
// judged by the letter of their RFCs. Nothing of that is loosened but https, on this machine.
import * as oauth from 'oauth4webapi'

import { task } from './dialogue.mjs'
import { tell } from './story.mjs'

const loopback = { [oauth.allowInsecureRequests]: true }
const issuer = new URL(task.issuer)
const document = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...loopback })
const server = await oauth.processDiscoveryResponse(issuer, document)

const METHODS = {
  client_secret_basic: oauth.ClientSecretBasic,
  client_secret_post: oauth.ClientSecretPost,
  none: oauth.None,
}

function connect({ client_id, client_secret, method, redirect_uri }) {
  const client = { client_id }
  const authentication = METHODS[method](client_secret)

  return {
    async begin() {
      const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()]
      const url = new URL(server.authorization_endpoint)
      url.search = new URLSearchParams({
        response_type: 'code',
        client_id,
        redirect_uri,
        scope: task.scope,
        state,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      })
      return { url, verifier, state }
    },

    async redeem(back, { verifier, state }) {
      const returned = oauth.validateAuthResponse(server, client, back, state)
      const response = await oauth.authorizationCodeGrantRequest(
        server, client, authentication, returned, redirect_uri, verifier, loopback,
      )
      return oauth.processAuthorizationCodeResponse(server, client, response)
    },

    async refresh({ refresh_token }) {
      const response = await oauth.refreshTokenGrantRequest(server, client, authentication, refresh_token, loopback)
      return oauth.processRefreshTokenResponse(server, client, response)
    },

    async introspect(token) {
      const response = await oauth.introspectionRequest(server, client, authentication, token, loopback)
      return oauth.processIntrospectionResponse(server, client, response)
    },

    async revoke({ refresh_token }) {
      const options = { ...loopback, additionalParameters: { token_type_hint: 'refresh_token' } }
      const response = await oauth.revocationRequest(server, client, authentication, refresh_token, options)
      return oauth.processRevocationResponse(response)
    },

    async use({ access_token }) {
      const resource = new URL(`${task.issuer}/alexa/verify`)
      const response = await oauth.protectedResourceRequest(access_token, 'GET', resource, undefined, undefined, loopback)
      return response.headers.get('X-OAuth-Subject')
    },
  }
}

await tell(connect, { judgesReturns: true })
