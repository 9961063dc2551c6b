package coupon

// Channel is the way a message takes.
type Channel string

// The channels.
const (
	ChannelEmail      Channel = "EMAIL"
	ChannelSMS        Channel = "SMS"
	ChannelPush       Channel = "PUSH"
	ChannelDirectMail Channel = "DIRECT_MAIL"
)

// Recipient is a person that messages can be sent to.
type Recipient struct {
	ID            ID
	ExternalID    string
	Email         *string
	Phone         *string
	FirstName     *string
	LastName      *string
	Attributes    JSON
	IsContactable bool
}
