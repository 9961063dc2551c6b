package file

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// parquetType is what the values of a column are.
type parquetType struct {
	kind format.Type
	// size is how many bytes a value has, or 0 when each has its own length. A boolean has one.
	size int
	// write adds a value, as its bytes in the PLAIN encoding, to a text. It reports when that stands for
	// no value.
	write func(text, value []byte) (result []byte, isNull bool)
	// isBytes says that a value is taken as the text that it should be.
	isBytes bool
	// isNumber says that a value is a number, whose decimal mark is a point.
	isNumber bool
}

// Limits of decimal numbers; beyond them a column cannot be read.
const (
	maxDecimalBytes = 64
	maxDecimalScale = 150
)

// newParquetType finds out what a column holds. Its logical type comes before the converted one that older
// files have. It reports false for what has no text: bytes of a known kind that are none, and numbers
// beyond the limits.
func newParquetType(element *format.SchemaElement) (t parquetType, isKnown bool) { //nolint:cyclop // one case a type of the format
	t.kind = element.Type.V
	switch t.kind {
	case format.Boolean:
		t.size = 1
	case format.Int32, format.Float:
		t.size = 4
	case format.Int64, format.Double:
		t.size = 8
	case format.Int96:
		t.size = 12
	case format.FixedLenByteArray:
		if t.size = int(element.TypeLength.V); t.size <= 0 || t.size > MaxRowBytes {
			return t, false
		}
	case format.ByteArray:
	default:
		return t, false
	}
	t.write = plainWriter(t.kind)
	t.isNumber = t.kind == format.Int32 || t.kind == format.Int64 || t.kind == format.Float || t.kind == format.Double
	switch logical := element.LogicalType.Value.(type) {
	case nil:
		return t, t.convert(element)
	case *format.DateType:
		t.write, t.isNumber = writeDate, false
		return t, t.kind == format.Int32
	case *format.TimestampType:
		t.write, t.isNumber = timestampWriter(logical.Unit.Value, logical.IsAdjustedToUTC), false
		return t, t.kind == format.Int64 && t.write != nil
	case *format.IntType:
		if !logical.IsSigned {
			t.write = writeUnsigned
		}
		return t, t.kind == format.Int32 || t.kind == format.Int64
	case *format.DecimalType:
		return t, t.useDecimal(int(logical.Scale))
	case *format.UUIDType:
		t.write = writeUUID
		return t, t.size == 16
	case *format.StringType, *format.EnumType, *format.JsonType, *format.NullType:
		t.isBytes = t.kind == format.ByteArray || t.kind == format.FixedLenByteArray
		return t, true
	}
	return t, false
}

// convert uses the converted type of an element without a logical one.
func (t *parquetType) convert(element *format.SchemaElement) (isKnown bool) {
	isInteger := t.kind == format.Int32 || t.kind == format.Int64
	if !element.ConvertedType.Valid {
		t.isBytes = t.kind == format.ByteArray || t.kind == format.FixedLenByteArray
		return true
	}
	switch element.ConvertedType.V { //nolint:exhaustive // the other types are not read
	case deprecated.Date:
		t.write, t.isNumber = writeDate, false
		return t.kind == format.Int32
	case deprecated.TimestampMillis:
		t.write, t.isNumber = timestampWriter(&format.MilliSeconds{}, true), false
		return t.kind == format.Int64
	case deprecated.TimestampMicros:
		t.write, t.isNumber = timestampWriter(&format.MicroSeconds{}, true), false
		return t.kind == format.Int64
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		t.write = writeUnsigned
		return isInteger
	case deprecated.Int8, deprecated.Int16, deprecated.Int32, deprecated.Int64:
		return isInteger
	case deprecated.Decimal:
		return t.useDecimal(int(element.Scale.V))
	case deprecated.UTF8, deprecated.Enum, deprecated.Json:
		t.isBytes = t.kind == format.ByteArray || t.kind == format.FixedLenByteArray
		return true
	}
	return false
}

// useDecimal takes integers for decimal numbers with so many digits after the point.
func (t *parquetType) useDecimal(scale int) (isKnown bool) {
	number := func(value []byte) *big.Int { return big.NewInt(integerOf(value)) }
	if t.kind == format.FixedLenByteArray {
		number = bigIntegerOf
	}
	t.write = func(text, value []byte) ([]byte, bool) { return appendDecimal(text, number(value), scale), false }
	t.isNumber = true
	isNumber := t.kind == format.Int32 || t.kind == format.Int64 || t.kind == format.FixedLenByteArray && t.size <= maxDecimalBytes
	return isNumber && scale >= 0 && scale <= maxDecimalScale
}

// bigIntegerOf returns the integer whose highest byte comes first, in two's complement.
func bigIntegerOf(value []byte) *big.Int {
	number := new(big.Int).SetBytes(value)
	if value[0]&0x80 != 0 {
		number.Sub(number, new(big.Int).Lsh(big.NewInt(1), uint(8*len(value))))
	}
	return number
}

func appendDecimal(text []byte, number *big.Int, scale int) []byte {
	digits := new(big.Int).Abs(number).String()
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	if number.Sign() < 0 {
		text = append(text, '-')
	}
	text = append(text, digits[:len(digits)-scale]...)
	if scale > 0 {
		text = append(append(text, '.'), digits[len(digits)-scale:]...)
	}
	return text
}

func integerOf(value []byte) int64 {
	if len(value) == 4 {
		return int64(int32(binary.LittleEndian.Uint32(value)))
	}
	return int64(binary.LittleEndian.Uint64(value))
}

// plainWriter writes values that have no other type than how they are stored. Numbers are written without
// an exponent, and NaN is no value: it is what a table of numbers has where one is missing.
func plainWriter(kind format.Type) func(text, value []byte) ([]byte, bool) {
	switch kind {
	case format.Boolean:
		return func(text, value []byte) ([]byte, bool) { return strconv.AppendBool(text, value[0] != 0), false }
	case format.Int32, format.Int64:
		return func(text, value []byte) ([]byte, bool) { return strconv.AppendInt(text, integerOf(value), 10), false }
	case format.Float:
		return func(text, value []byte) ([]byte, bool) {
			number := float64(math.Float32frombits(binary.LittleEndian.Uint32(value)))
			return appendFloat(text, number, 32)
		}
	case format.Double:
		return func(text, value []byte) ([]byte, bool) {
			return appendFloat(text, math.Float64frombits(binary.LittleEndian.Uint64(value)), 64)
		}
	case format.Int96:
		return writeInt96
	case format.ByteArray, format.FixedLenByteArray:
	}
	return func(text, value []byte) ([]byte, bool) { return append(text, value...), false }
}

func appendFloat(text []byte, number float64, bits int) ([]byte, bool) {
	if math.IsNaN(number) {
		return text, true
	}
	return strconv.AppendFloat(text, number, 'f', -1, bits), false
}

func writeUnsigned(text, value []byte) ([]byte, bool) {
	if len(value) == 4 {
		return strconv.AppendUint(text, uint64(binary.LittleEndian.Uint32(value)), 10), false
	}
	return strconv.AppendUint(text, binary.LittleEndian.Uint64(value), 10), false
}

func writeUUID(text, value []byte) ([]byte, bool) {
	for i, part := range [][]byte{value[:4], value[4:6], value[6:8], value[8:10], value[10:]} {
		if i > 0 {
			text = append(text, '-')
		}
		text = hex.AppendEncode(text, part)
	}
	return text, false
}

// secondsPerDay is the length of a day in UTC.
const secondsPerDay = 24 * 60 * 60

// writeDate writes a number of days since 1970.
func writeDate(text, value []byte) ([]byte, bool) {
	return time.Unix(integerOf(value)*secondsPerDay, 0).UTC().AppendFormat(text, time.DateOnly), false
}

// timestampWriter writes instants in RFC 3339, and without an offset when the file does not know it: then
// the time zone of the import is meant. It gives nil for an unknown unit.
func timestampWriter(unit format.TimeUnitValue, isUTC bool) func(text, value []byte) ([]byte, bool) {
	layout := "2006-01-02T15:04:05.999999999"
	if isUTC {
		layout = time.RFC3339Nano
	}
	var instant func(number int64) time.Time
	switch unit.(type) {
	case *format.MilliSeconds:
		instant = time.UnixMilli
	case *format.MicroSeconds:
		instant = time.UnixMicro
	case *format.NanoSeconds:
		instant = func(number int64) time.Time { return time.Unix(0, number) }
	default:
		return nil
	}
	return func(text, value []byte) ([]byte, bool) {
		return instant(integerOf(value)).UTC().AppendFormat(text, layout), false
	}
}

// julianEpoch is the Julian day of 1 January 1970.
const julianEpoch = 2_440_588

// writeInt96 writes an instant as old programs store it: nanoseconds of the day, and the Julian day.
func writeInt96(text, value []byte) ([]byte, bool) {
	day := int64(binary.LittleEndian.Uint32(value[8:])) - julianEpoch
	instant := time.Unix(day*secondsPerDay, int64(binary.LittleEndian.Uint64(value)))
	return instant.UTC().AppendFormat(text, time.RFC3339Nano), false
}
