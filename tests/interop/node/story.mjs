// What every library goes through. A script says how its library does each step: `connect` takes a client as it is registered
// (or the resource server) and gives
//   begin()                               → { url, verifier, state } of an authorization request with PKCE
//   redeem(back, { verifier, state })     → the token response, after the library judged the browser's return
//   refresh(tokens), introspect(token), revoke(tokens), and use(tokens) where the library calls resources
import { approve, deny, report, task } from './dialogue.mjs'

/** How the library names what went wrong; `null` if nothing did. */
async function refusal(promise) {
  try {
    await promise
    return null
  } catch (error) {
    const body = error.data?.payload ?? error // simple-oauth2 hands on the errors of its HTTP library
    return {
      name: error.constructor.name,
      message: error.message,
      code: error.code,
      error: body.error,
      description: body.error_description,
      status: error.status ?? error.output?.statusCode,
      challenges: Array.isArray(error.cause) ? error.cause : undefined,
    }
  }
}

function changed(back, change) {
  const url = new URL(back)
  change(url.searchParams)
  return url
}

export async function tell(connect, { judgesReturns }) {
  const client = await connect(task.client)
  const resourceServer = await connect(task.resource_server)
  const findings = {}

  const attempt = await client.begin()
  const back = await approve(attempt.url)
  findings.returned = Object.fromEntries(back.searchParams)
  findings.state = attempt.state
  if (judgesReturns) {
    findings.forged = await refusal(client.redeem(back, { ...attempt, state: 'another state' }))
    findings.mixedUp = await refusal(client.redeem(changed(back, (query) => query.set('iss', 'https://other.test')), attempt))
    findings.unissued = await refusal(client.redeem(changed(back, (query) => query.delete('iss')), attempt))
    const denied = await client.begin()
    findings.denied = await refusal(client.redeem(await deny(denied.url), denied))
  }
  findings.stolen = await refusal(client.redeem(back, { ...attempt, verifier: 'a-verifier-that-somebody-else-has-thought-up' }))
  findings.tokens = await client.redeem(back, attempt)

  findings.refreshed = await client.refresh(findings.tokens)
  findings.subject = await client.use?.(findings.refreshed)
  findings.active = await resourceServer.introspect(findings.refreshed.access_token)

  await client.revoke(findings.refreshed)
  findings.inactive = [
    await resourceServer.introspect(findings.refreshed.access_token),
    await resourceServer.introspect(findings.refreshed.refresh_token),
  ]
  findings.dead = await refusal(client.refresh(findings.refreshed))
  findings.useless = await refusal(client.use?.(findings.refreshed))

  if (task.client.client_secret !== null) {
    const impostor = await connect({ ...task.client, client_secret: 'not-the-right-secret' })
    findings.impostor = await refusal(impostor.refresh(findings.tokens))
  }
  report(findings)
}
