-- What the knowledge base begins with, written for the system and approved with it; the staff's versions replace these.
-- No amount stands here: fees and limits change, and answers tell them from their tables. A line's end is a space.
INSERT INTO support_articles (slug, language, version, intent, title, body, status, approved_at, created_at)
SELECT
    a.slug,
    'en' AS language,
    1 AS version,
    a.intent,
    a.title,
    replace(trim(a.body), E'\n', ' ') AS body,
    'approved' AS status,
    now() AS approved_at,
    now() AS created_at
FROM (
    VALUES
    ('top-up-at-a-till', 'topup_how', 'Putting cash into your wallet', $$
Make a voucher of the type EasyPay top-up for the amount you want to pay in. You get a number of fourteen digits. Show it
at any till that takes EasyPay, and pay in cash. As soon as the till has told us, your wallet is credited with the amount
less the fee. A top-up that nobody pays ends after thirty days, and costs nothing.$$),
    ('make-a-voucher', 'voucher_how', 'Making and redeeming a voucher', $$
A standard voucher is paid from your wallet when you make it, and has a code of sixteen digits. Whoever types that code
puts the money, or a part of it, into a wallet: so give it only to the person it is for. What nobody has redeemed after
three years comes back to you. An EasyPay voucher has a number of fourteen digits and is spent in full at a till; after
thirty days it comes back with its fee.$$),
    ('cash-out-at-a-till', 'cashout', 'Drawing cash at a till', $$
Your identity has to be confirmed first. Make a cash-out voucher: its amount and the fee are held in your wallet, so they
show as held and not as available. Show its number at a till that pays out. Once the till has paid you, what was held
leaves your wallet. If you do not draw the cash within thirty days, or cancel the voucher, all of it is free again.$$),
    ('prove-who-you-are', 'kyc_how', 'Proving who you are', $$
Send a clear photograph or a PDF of your South African identity document or your passport, with all four corners in it.
With your identity confirmed you can send money and draw cash. For higher limits send a proof of address as well, such as
an account that names you and your address and is no older than three months. A colleague looks at each of them.$$),
    ('change-your-details', 'change_details', 'Changing your name, e-mail or phone', $$
Open your profile and type the new address or number. We send a code to it, and it counts once you have brought the code
back; until then the old one stays, and only a confirmed one can be paid. Changing either asks for your password. A name
that was compared with your identity document is corrected by a colleague: ask a person here.$$),
    ('choose-a-password', 'password_or_pin', 'Your password', $$
Open your profile to choose another password: ten characters or more, and nothing that is easy to guess. All your other
devices are signed out. If you have forgotten it, ask for a message to your confirmed e-mail address; what stands in it is
good for thirty minutes. After many wrong attempts signing in is locked for a quarter of an hour. There is no PIN here.$$),
    ('take-a-statement', 'statement', 'Taking a statement', $$
Choose the first and the last day and a wallet. A statement shows what was in it before, each entry with its balance, and
what was in it at the end. You can read it at once, or take it as a file for a spreadsheet or as a PDF to print.$$),
    ('close-your-account', 'close_account', 'Closing your account', $$
An account is closed once nothing is left in it: no money in any wallet, nothing held, no voucher that can still be used,
and nothing that waits for a decision. Send or draw what is left, cancel EasyPay vouchers that no till has seen, and ask a
person here to close it. The law makes us keep the records of your account for five years.$$),
    ('be-paid', 'receive_money', 'Being paid by somebody', $$
Give whoever pays you the ten digits of your wallet, or a phone number or an e-mail address that you have confirmed. They
see your first name and the first letter of your last name before they send. Money arrives at once. Your wallet takes no
more than your tier allows it to hold: a payment beyond that is refused, and nothing leaves the sender's wallet.$$),
    ('where-and-in-what', 'supported_countries_and_currencies', 'Countries and currencies', $$
MyMoolah works in South Africa and in rand. Both who sends and who receives are customers of it. Nothing is sent to other
countries, no currency is changed into another, and foreign cards and banks cannot be paid from here.$$),
    ('what-is-not-offered', 'out_of_scope', 'What MyMoolah does not do', $$
There are no bank cards, cheques, loans, savings accounts or cryptocurrencies here, airtime and electricity are not sold,
and cash machines do not pay out. Cash comes in and goes out at tills, by vouchers; money moves between wallets.$$),
    ('freeze-a-wallet', 'lost_phone_or_fraud', 'When your phone is stolen or somebody uses your account', $$
Freeze each wallet at once, from any device on which you can sign in: nothing goes out or in from that moment. Then sign
out everywhere else, choose another password, and ask your network to block the number. A colleague unfreezes a wallet
after asking questions that only you can answer. Never tell anybody a code, also not somebody who says he is from us.$$),
    ('paid-the-wrong-person', 'wrong_recipient', 'Money sent to the wrong person', $$
A transfer arrives at once, and what has arrived belongs to who received it. Ask the person to send it back if you can. A
colleague looks at every report: tell us which transfer it was and whom you meant to pay. Before you send, look at the
name that is shown: it is the name of the person who will be paid.$$),
    ('paid-twice', 'duplicate_charge', 'A payment that was made twice', $$
The app sends each payment with a key of its own, so that pressing the button twice, or a bad connection, moves money once.
Two entries mean two orders. If you did not give the second one, freeze your wallet and tell us which it was.$$),
    ('declined-payment', 'transfer_failed_or_declined', 'Why a payment is declined', $$
A payment is declined when less is available than its amount, when it is beyond what your tier may send at a time, in a
day or in a month, when a wallet is frozen, or when whoever is to receive it cannot. Nothing leaves your wallet then. What
is held for a cash-out is not available until the till has paid, or the voucher has ended.$$),
    ('has-it-arrived', 'transfer_status', 'Whether a transfer has arrived', $$
A transfer between two wallets arrives the moment it is made: there is nothing on the way. If it stands under your
transactions, the other person has it. If it does not, it was not made, and your money is where it was.$$),
    ('top-up-not-there', 'topup_pending', 'A top-up that is not there yet', $$
A till tells us of your cash within minutes as a rule. Until then the top-up waits. If you paid another amount than the
voucher says, paid after it had ended, or your wallet would hold too much, the money is set aside and a colleague of
finance decides about it. Keep the slip of the till: it says when and where you paid.$$),
    ('top-up-went-wrong', 'topup_failed', 'A top-up that went wrong', $$
When a till refuses the number, the voucher has ended or was paid before: make a new one. When it took your cash and your
wallet was not credited, the money is set aside until a colleague of finance has decided. Keep the slip and ask a person.$$),
    ('voucher-does-not-work', 'voucher_problem', 'A voucher that does not work', $$
The code of a standard voucher has sixteen digits, and one wrong digit makes it unknown. It is redeemed into a wallet, and
is not airtime, data or electricity. An EasyPay number has fourteen digits, and works at tills only, for its whole amount.
One that has ended, was cancelled or used cannot be used again.$$),
    ('what-tiers-allow', 'limits', 'Tiers and limits', $$
How much you may send at a time, in a day and in a month, and how much your wallet may hold, depends on what we have
confirmed of you. Without a confirmed identity you can receive money, and not send any. Fees do not count against limits.
What is cancelled or taken back on the same day or in the same month is given back to the limit.$$),
    ('what-it-costs', 'fees', 'What things cost', $$
Sending money to another customer is free, and so is a standard voucher. Top-ups, EasyPay vouchers and cash-outs have a fee,
to which VAT is added. You see both before you make one. A voucher that is cancelled or ends unused costs nothing.$$),
    ('where-is-my-check', 'kyc_status', 'How long an identity check takes', $$
Colleagues look at documents in the order in which they came. You are told when it was decided, or when a document is
needed again. You can keep receiving money meanwhile, as far as your tier allows.$$),
    ('documents-rejected', 'kyc_rejected', 'Why documents are not accepted', $$
Most often a picture is dark or cut off, the name or the number is not the one you typed, the document is no longer valid,
or the proof of address is too old. The reason stands with the decision. Put that right and send it again, as often as
needed.$$),
    ('what-comes-back', 'refund', 'Getting money back', $$
A voucher that ends or is cancelled comes back to your wallet, with its fee where it was an EasyPay voucher. A payment to
another customer does not come back by itself: that person sends it back, or two colleagues of finance decide. What was
paid wrongly at a till waits for such a decision too.$$),
    ('read-your-transactions', 'transactions', 'Reading your transactions', $$
Each line is an entry of one wallet: when, from or to whom, how much, and what was in the wallet afterwards. A fee and its
VAT stand as lines of their own beside what they are for.$$),
    ('held-and-available', 'balance', 'Balance, held and available', $$
The balance is what is in your wallet. A part of it may be held for cash-outs that wait at a till; the rest is available.
Only what is available can be sent or used for vouchers.$$)
) AS a (slug, intent, title, body);
