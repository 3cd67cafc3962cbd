package dialect

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAFormIsReadAsItWasWritten(t *testing.T) {
	form := Object{
		"model": "m", "prompt": "two\r\nlines", "temperature": 0.5,
		"file": NewFile(`a "quoted" name.wav`, "audio/wav", []byte{0, 255, '-', '-'}),
	}
	data := EncodeForm(form)
	assert.Equal(t, data, EncodeForm(form), "the same form has the same bytes")
	read, err := DecodeForm(FormType, data)
	require.NoError(t, err)
	assert.Equal(t, "m", read["model"])
	assert.Equal(t, "two\r\nlines", read["prompt"])
	assert.Equal(t, "0.5", read["temperature"], "a field is text")
	content, ok := FileContent(read["file"])
	require.True(t, ok)
	assert.Equal(t, []byte{0, 255, '-', '-'}, content)
	assert.Equal(t, []string{"model", "prompt", "temperature", "file"}, FormFields(form), "files are last")
}

func TestWhatIsNotAForm(t *testing.T) {
	data := EncodeForm(Object{"model": "m", "file": NewFile("a.wav", "audio/wav", wav(10))})
	many := Object{}
	for i := range maxFormParts + 1 {
		many[string(rune('a'+i%26))+string(rune('a'+i/26))] = "x"
	}
	for _, c := range []struct {
		name, mediaType string
		data            []byte
		why             string
	}{
		{"JSON", "application/json", []byte("{}"), "the Content-Type is not multipart/form-data"},
		{"no type", "", data, "the Content-Type is not multipart/form-data"},
		{"no boundary", FormTypeWithoutBoundary, data, "the Content-Type has no boundary"},
		{"another boundary", "multipart/form-data; boundary=x", data, "the form ends before its closing boundary"},
		{"empty", FormType, nil, "the form ends before its closing boundary"},
		{"cut in a part", FormType, data[:len(data)-60], "a part of the form is cut off"},
		{"too many parts", FormType, EncodeForm(many), "more than 256 parts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := DecodeForm(c.mediaType, c.data)
			require.ErrorIs(t, err, ErrNotForm)
			assert.ErrorContains(t, err, c.why)
		})
	}
}

func TestTheFirstOfTwoFieldsCounts(t *testing.T) {
	data := EncodeForm(Object{"model": "first", "modem": "second"})
	read, err := DecodeForm(FormType, bytes.Replace(data, []byte("modem"), []byte("model"), 1))
	require.NoError(t, err)
	assert.Equal(t, Object{"model": "first"}, read)
}

func TestAudioIsWhatItsNameSays(t *testing.T) {
	assert.Len(t, wav(silence), 44+2*silence)
	assert.Equal(t, "RIFF", string(wav(1)[:4]))
	frame := mp3Frame()
	assert.Len(t, frame, 144*32000/44100, "the length of a frame follows from its rates (ISO/IEC 11172-3)")
	kind, content := speech{}.Media(Answer{Pieces: []string{"a", "b"}, Request: Object{"response_format": "wav"}})
	assert.Equal(t, "audio/wav", kind)
	assert.Equal(t, wav(2*silence), content)
}

func FuzzDecodeForm(f *testing.F) {
	f.Add(FormType, EncodeForm(Object{"model": "m", "file": NewFile("a", "b", []byte("c"))}))
	f.Fuzz(func(t *testing.T, mediaType string, data []byte) {
		form, err := DecodeForm(mediaType, data)
		if err != nil {
			require.ErrorIs(t, err, ErrNotForm)
			return
		}
		_, err = DecodeForm(FormType, EncodeForm(form))
		if bytes.Contains(data, []byte(formBoundary)) {
			return // a part may hold our own boundary
		}
		require.NoError(t, err)
	})
}
