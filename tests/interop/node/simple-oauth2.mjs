// simple-oauth2: no discovery, no introspection, and it leaves PKCE, state and iss to its user, so this script does what its
// users do. It knows no public clients: with a secret in the body it at least sends an empty one.
import { createHash, randomBytes } from 'node:crypto'

import { AuthorizationCode } from 'simple-oauth2'

import { task } from './dialogue.mjs'
import { tell } from './story.mjs'

function connect({ client_id, client_secret, method, redirect_uri }) {
  const library = new AuthorizationCode({
    client: { id: client_id, secret: client_secret ?? '' },
    auth: {
      tokenHost: task.issuer,
      tokenPath: '/alexa/token',
      revokePath: '/alexa/revoke',
      authorizePath: '/alexa/authorize',
    },
    options: { authorizationMethod: method === 'client_secret_basic' ? 'header' : 'body' },
  })

  return {
    begin() {
      const [verifier, state] = [randomBytes(32).toString('base64url'), randomBytes(16).toString('base64')]
      const url = library.authorizeURL({
        redirect_uri,
        scope: task.scope,
        state,
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
      })
      return { url, verifier, state }
    },

    async redeem(back, { verifier }) {
      const { token } = await library.getToken({ code: back.searchParams.get('code'), redirect_uri, code_verifier: verifier })
      return token
    },

    async refresh(tokens) {
      const { token } = await library.createToken(tokens).refresh()
      return token
    },

    async introspect(token) {
      const response = await fetch(`${task.issuer}/alexa/introspect`, {
        method: 'POST',
        headers: { Authorization: `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}` },
        body: new URLSearchParams({ token }),
      })
      return response.json()
    },

    revoke: (tokens) => library.createToken(tokens).revoke('refresh_token'),
  }
}

await tell(connect, { judgesReturns: false })
