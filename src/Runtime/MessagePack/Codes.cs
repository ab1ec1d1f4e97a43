namespace MessagePack;

/// <summary>The first byte of a value, as the format's specification has it.</summary>
internal static class Codes
{
    public const byte
        MaxFixInt = 0x7f, FixMap = 0x80, FixArray = 0x90, FixString = 0xa0, Nil = 0xc0, Never = 0xc1, False = 0xc2, True = 0xc3,
        Bin8 = 0xc4, Bin16 = 0xc5, Bin32 = 0xc6, Ext8 = 0xc7, Ext16 = 0xc8, Ext32 = 0xc9, Float32 = 0xca, Float64 = 0xcb,
        UInt8 = 0xcc, UInt16 = 0xcd, UInt32 = 0xce, UInt64 = 0xcf, Int8 = 0xd0, Int16 = 0xd1, Int32 = 0xd2, Int64 = 0xd3,
        FixExt1 = 0xd4, FixExt16 = 0xd8, String8 = 0xd9, String16 = 0xda, String32 = 0xdb, Array16 = 0xdc, Array32 = 0xdd,
        Map16 = 0xde, Map32 = 0xdf, MinNegativeFixInt = 0xe0;

    public const int MaxFixCount = 15, MaxFixStringBytes = 31;

    public static MessagePackType TypeOf(byte code) => code switch
    {
        <= MaxFixInt or >= MinNegativeFixInt or (>= UInt8 and <= Int64) => MessagePackType.Integer,
        < FixArray or Map16 or Map32 => MessagePackType.Map,
        < FixString or Array16 or Array32 => MessagePackType.Array,
        < Nil or String8 or String16 or String32 => MessagePackType.String,
        Nil => MessagePackType.Nil,
        False or True => MessagePackType.Boolean,
        Bin8 or Bin16 or Bin32 => MessagePackType.Binary,
        Float32 or Float64 => MessagePackType.Float,
        Never => MessagePackType.Unknown,
        _ => MessagePackType.Extension,
    };
}
