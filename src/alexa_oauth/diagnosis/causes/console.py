"""What stands in the Alexa developer console, or in the list of clients here, does not fit the other."""

from typing import Final

from alexa_oauth.diagnosis.causes.cause import Cause, Seen

VENDOR_IDS_UNSET: Final = Cause(
    "vendor_ids_unset",
    "No vendor id",
    "This server does not know your Amazon developer account, so it can send nobody back to Alexa.",
    "Set vendor_ids to the id that the developer console shows under Settings → My IDs.",
    (Seen.INSIDE,),
)
REGION_UNREGISTERED: Final = Cause(
    "region_unregistered",
    "Another region's address",
    "Alexa wants to be answered at the address of a region that is not registered here. The language of the Alexa app, or the"
    " country of the account, decides which one it is.",
    "Register all three Alexa redirect URLs of your skill: setting vendor_ids does so by itself.",
    (Seen.EVENTS,),
)
VENDOR_ID_WRONG: Final = Cause(
    "vendor_id_wrong",
    "Another vendor id",
    "Alexa wants to be answered at an address that ends in a vendor id which is not in vendor_ids.",
    "Compare the end of the address with the developer console, Settings → My IDs. If it is yours, add it to vendor_ids.",
    (Seen.EVENTS,),
)
REDIRECT_URI_FOREIGN: Final = Cause(
    "redirect_uri_foreign",
    "The answer should go to a stranger",
    "A request wants its answer sent to an address that is neither Amazon's nor registered here.",
    "If you did not cause it, there is nothing to do: it was refused. Else register that address for the client.",
    (Seen.EVENTS,),
)
CLIENT_ID_WRONG: Final = Cause(
    "client_id_wrong",
    "Wrong client id",
    "The client id in the developer console is not one that this server knows.",
    "Copy Your Client ID anew from the Set up page, without blank or slash at its end.",
    (Seen.EVENTS,),
)
CLIENT_SECRET_WRONG: Final = Cause(
    "client_secret_wrong",
    "Wrong client secret",
    "The secret in the developer console is not this client's.",
    "Copy Your Secret anew from the Set up page, without blanks, and save the page in the console. After a change of the"
    " secret the console needs the new one.",
    (Seen.EVENTS,),
)
CLIENT_SECRET_MISSING: Final = Cause(
    "client_secret_missing",
    "No client secret arrived",
    "Amazon's request holds no secret: none stands in the developer console, or a proxy took away the header that carries it.",
    "Copy Your Secret from the Set up page into the console. If it stands there, let the proxy pass the header Authorization on,"
    " or choose Credentials in request body in the console.",
    (Seen.EVENTS,),
)
CLIENT_SECRET_PADDED: Final = Cause(
    "client_secret_padded",
    "A blank in the client secret",
    "The secret in the developer console is the right one, with a blank or a slash before or behind it.",
    "Delete what stands before and behind Your Secret in the developer console, or copy it anew from the Set up page; then save.",
    (Seen.EVENTS,),
)
CLIENT_AUTHENTICATION_SCHEME: Final = Cause(
    "client_authentication_scheme",
    "How the client signs in",
    "Amazon can send id and secret in a header or in the form, but a request must use one way and be readable.",
    "Both ways are good here. Choose HTTP Basic in the developer console, and let no proxy use the header Authorization.",
    (Seen.EVENTS,),
)
ADDRESSES_SWAPPED: Final = Cause(
    "addresses_swapped",
    "The two addresses are swapped or mistyped",
    "Requests come for a path that does not exist here, or with the method that belongs to the other one.",
    "Copy both addresses from the Set up page: authorization ends in /alexa/authorize, token in /alexa/token.",
    (Seen.EVENTS, Seen.ASKING),
)
PKCE_OFF: Final = Cause(
    "pkce_off",
    "PKCE is off in the console",
    "This client must be linked with PKCE, and Alexa's request came without it.",
    "Turn PKCE on under Account Linking in the developer console, or make the client confidential.",
    (Seen.EVENTS,),
)
PKCE_DISAGREES: Final = Cause(
    "pkce_disagrees",
    "PKCE does not fit together",
    "The proof that Amazon's server sent is not the one that the phone's request announced.",
    "Save the PKCE switch in the developer console again, disable the skill in the Alexa app, and link anew.",
    (Seen.EVENTS,),
)
SCOPE_REFUSED: Final = Cause(
    "scope_refused",
    "The scopes are not known here",
    "None of the scopes in the developer console is one that the client may have.",
    "Enter the scopes that the Set up page shows, usually music.read and music.control.",
    (Seen.EVENTS,),
)
IMPLICIT_GRANT: Final = Cause(
    "implicit_grant",
    "Implicit Grant is chosen in the console",
    "The request wants a token at once, which lives for an hour and ends; this server gives a code, and renews the link with it.",
    "Choose Auth Code Grant on the page Account Linking of the developer console, and save.",
    (Seen.EVENTS,),
)
REQUEST_MALFORMED: Final = Cause(
    "request_malformed",
    "The request is not one of Alexa's",
    "A parameter is missing, repeated, or not what the rules of OAuth allow.",
    "Copy both addresses anew from the Set up page. If the request was typed or came from another program, correct it there.",
    (Seen.EVENTS,),
)
CLIENTS_FILE_BROKEN: Final = Cause(
    "clients_file_broken",
    "The file of clients has a mistake",
    "The file oauth_clients.json cannot be read, so the last good state holds, or only the built-in client exists.",
    "Correct the line that is named.",
    (Seen.INSIDE,),
)
CLIENT_SECRET_UNSET: Final = Cause(
    "client_secret_unset",
    "The client has no secret",
    "The built-in client is confidential and has no secret yet, so Amazon cannot sign in with it.",
    "Start the server once, which makes one, or run alexa-oauth client new-secret; then copy it into the developer console.",
    (Seen.INSIDE,),
)
APP_TO_APP: Final = Cause(
    "app_to_app",
    "App-to-app linking is switched on",
    "The developer console offers to link through another app of yours, which does not exist.",
    "Turn off the switch for app-to-app account linking on the page Account Linking.",
    (Seen.ASKING,),
)
LINKING_LEFT_OVER: Final = Cause(
    "linking_left_over",
    "Account linking of a skill that needs none",
    "A skill that does not use links still has account linking set up, so Alexa asks for one.",
    "Remove account linking from that skill: ask smapi delete-account-linking-info, or its page in the console.",
    (Seen.ASKING,),
)

CAUSES: Final = (
    VENDOR_IDS_UNSET,
    CLIENT_SECRET_UNSET,
    CLIENTS_FILE_BROKEN,
    REGION_UNREGISTERED,
    VENDOR_ID_WRONG,
    REDIRECT_URI_FOREIGN,
    CLIENT_ID_WRONG,
    CLIENT_SECRET_WRONG,
    CLIENT_SECRET_MISSING,
    CLIENT_SECRET_PADDED,
    CLIENT_AUTHENTICATION_SCHEME,
    ADDRESSES_SWAPPED,
    PKCE_OFF,
    PKCE_DISAGREES,
    SCOPE_REFUSED,
    IMPLICIT_GRANT,
    REQUEST_MALFORMED,
    APP_TO_APP,
    LINKING_LEFT_OVER,
)
