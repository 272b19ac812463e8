"""The functions of _codecs: encodings, error handlers, faults."""
import _codecs
def t(f,*a,**k):
    try: print(f.__name__, repr(f(*a,**k)))
    except BaseException as e: print(f.__name__, type(e).__name__, e)
for e in ['strict','surrogateescape','namereplace','nope']:
    for s in ['a\udc80b','\ud800','a€b','abc']:
        for n in ['ascii','latin_1','utf_8','utf_16','utf_16_le','utf_16_be','utf_32','utf_32_be','utf_7','unicode_escape','raw_unicode_escape','charmap']:
            t(getattr(_codecs,n+'_encode'),s,e)
        t(_codecs.charmap_encode,s,e,{97:b'x',98:65,0xe9:'yy',8364:None, 63:33})
        t(_codecs.charmap_encode,s,e,_codecs.charmap_build('abcdefg€?'*28))
    for b in [b'a\xffb',b'\xed\xa0\x80',b'\xe2\x82',b'\xf0\x9f\x98\x80',b'\x00\xd8a\x00',b'\xd8\x00\x00a',b'ab\x00',b'\xff\xfea\x00\x00',b'\\xzz\\u12\\N{EURO SIGN}\\N{x}\\777\\q\\',b'a+AOkgrA-b+',b'+\xff', b'\x00\x00\x00a\x00\x11\x00\x00',b'\xff\xfe\x00\x00a\x00\x00\x00\x00']:
        for n in ['ascii','latin_1','utf_8','utf_16','utf_16_le','utf_16_be','utf_16_ex','utf_32','utf_32_be','utf_32_le','utf_32_ex','utf_7','unicode_escape','raw_unicode_escape','escape','charmap']:
            f=getattr(_codecs,n+'_decode')
            t(f,b,e)
            if n[:3]=='utf' and n[-2:]!='ex' or 'unicode' in n: t(f,b,e,True); t(f,b,e,False)
            if n.endswith('ex'): t(f,b,e,1,True); t(f,b,e,-1,False)
        t(_codecs.charmap_decode,b,e,'abcdefg\ufffe'*16); t(_codecs.charmap_decode,b,e,{97:'xx',98:65,255:None,0:0x110000,32:b''}); t(_codecs.charmap_decode,b,e,{97:3.5})
t(_codecs.escape_encode,b"a'\"\\\n\r\t\x00\xff"); t(_codecs.charmap_build,'a'*256); t(_codecs.charmap_build,'a'*300)
m=_codecs.charmap_build("".join(map(chr,range(256)))); print(type(m), m.size()); print(_codecs.charmap_build("\0ab€éᄀ").size())
class M:
    def __getitem__(s,k): 
        if k==97: return 'Q'
        raise KeyError(k)
t(_codecs.charmap_encode,'aab','strict',M()); t(_codecs.charmap_decode,b'aab','replace',M()); 
def h(e): return ('?',e.end)
_codecs.register_error('h',h); t(_codecs.ascii_encode,'a€b','h'); t(_codecs.utf_8_decode,b'a\xffb','h'); t(_codecs.utf_16_encode,'a\ud800','h')
_codecs.register_error('h2',lambda e:(b'XY',e.start+1)); t(_codecs.ascii_encode,'a€€b','h2'); t(_codecs.utf_8_decode,b'a\xffb','h2'); t(_codecs.utf_16_encode,'a\ud800','h2');t(_codecs.utf_32_encode,'a\ud800','h2')
_codecs.register_error('h3',lambda e:('é',-1)); t(_codecs.ascii_encode,'a€€b','h3'); t(_codecs.utf_8_decode,b'a\xffb','h3'); t(_codecs.utf_8_encode,'a\ud800b','h3')
_codecs.register_error('h4',lambda e:('é',99)); t(_codecs.ascii_encode,'a€€b','h4'); t(_codecs.utf_8_decode,b'a\xffb','h4');
_codecs.register_error('h5',lambda e:3); t(_codecs.ascii_encode,'a€€b','h5'); t(_codecs.utf_8_decode,b'a\xffb','h5');
t(_codecs._unregister_error,'h5'); t(_codecs._unregister_error,'h5'); t(_codecs._unregister_error,'strict')
for s in ['a','é','\x00','\n','\\',"'",'\U0001f600','\u20ac']: t(_codecs.unicode_escape_encode,s); t(_codecs.raw_unicode_escape_encode,s); t(_codecs.utf_7_encode,s)
