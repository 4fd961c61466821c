"""Sentences that lip sync is measured on: what durations were fitted to, and others that were held out."""

from configs.language import Lang

FITTED: dict[Lang, tuple[str, ...]] = {
    "zh": (
        "你好，我是海港科学馆的数字人助手小雅，很高兴认识你。",
        "科学馆周二到周日开放，上午九点半开门，下午五点关门。",
        "成人票每张六十元，儿童票每张三十元，老人凭证免费。",
        "如果下雨，露天的水上表演会改到室内剧场，请留意广播。",
        "二楼的天文厅里有一架可以亲手操作的望远镜。",
        "请从东门进馆，存包处在右手边，洗手间在楼梯后面。",
        "这个问题我不太清楚，您可以问一问服务台的工作人员。",
        "恐龙展区新来了三具骨架，其中最大的一具有十二米长。",
        "乘地铁四号线到海港站下车，从二号出口步行五分钟就到。",
        "孩子们最喜欢的是机器人乐园，那里每小时有一场比赛。",
        "对不起，今天的讲座已经满了，明天下午还有一场。",
        "海水为什么是咸的？因为河流把岩石里的盐带进了大海。",
        "别着急，慢慢说，我会一直在这里听着。",
        "馆内可以拍照，但是请不要使用闪光灯，也不要触摸展品。",
        "咖啡馆在三楼，卖面包、水果、牛奶和各种热饮料。",
        "月亮绕着地球转，地球绕着太阳转，一圈大约一年。",
    ),
    "en": (
        "Hello, I am Ann, the digital guide of the harbour science museum, and I am glad to meet you.",
        "The museum is open from Tuesday to Sunday, from half past nine in the morning until five.",
        "An adult ticket costs sixty yuan, a child ticket thirty, and it is free for the elderly.",
        "If it rains, the water show moves to the indoor theatre, so please listen for the announcement.",
        "On the second floor there is a telescope that you can move with your own hands.",
        "Please come in by the east gate; the lockers are on your right, the toilets behind the stairs.",
        "I am not quite sure about that, but somebody at the front desk will certainly know.",
        "Three new skeletons have arrived in the dinosaur hall, and the biggest one is twelve metres long.",
        "Take line four to the harbour station, leave by exit two, and walk for about five minutes.",
        "What children like most is the robot playground, where there is a race every hour.",
        "Sorry, today's lecture is full, but there will be another one tomorrow afternoon.",
        "Why is the sea salty? Because rivers carry the salt of the rocks down to the ocean.",
        "Take your time, there is no hurry at all, and I am listening.",
        "You may take photographs, but please do not use a flash or touch the things on show.",
        "The coffee shop is on the third floor; it sells bread, fruit, milk and hot drinks.",
        "The moon goes round the earth, and the earth goes round the sun in about a year.",
    ),
}
HELD_OUT: dict[Lang, tuple[str, ...]] = {
    "zh": (
        "图书馆的新书放在入口左边的架子上，每位读者可以借五本。",
        "如果您把钥匙弄丢了，请马上给管理员打电话。",
        "今天的天气真好，我们去公园散步吧。",
        "飞机晚点了，大概要再等四十分钟才能起飞。",
        "医生说你只是有点累，多喝水，早点睡觉。",
        "这道菜用了豆腐、青椒和一点酱油，味道非常鲜美。",
        "她小时候住在北方，冬天常常跟爷爷去河上滑冰。",
        "请把音量调低一点，再把屏幕转到那个方向。",
        "这座桥建于十五世纪，全部用石头砌成，没有一根钉子。",
        "会议改到星期四上午，地点不变，请准时参加。",
    ),
    "en": (
        "New books are on the shelf to the left of the entrance, and every reader may borrow five.",
        "If you have lost your keys, please call the manager straight away.",
        "The weather is lovely today, so let us go for a walk in the park.",
        "The plane is late, and we shall have to wait another forty minutes before it can take off.",
        "The doctor says that you are only a little tired: drink more water and go to bed early.",
        "This dish is made with green peppers, onions and a spoonful of soy sauce.",
        "When she was young she lived in the north, and in winter she skated on the frozen river.",
        "Turn the volume down a bit, and move the screen towards the window.",
        "The bridge was built in the fifteenth century, of stone alone, without a single nail.",
        "The meeting has been moved to Thursday; the place stays the same, so be there on time.",
    ),
}
VOICES: dict[Lang, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "zh": (("zf_xiaoxiao", "zm_yunxi", "zf_xiaoni"), ("zf_xiaoyi", "zm_yunyang")),
    "en": (("af_heart", "am_michael", "bf_emma"), ("af_bella", "bm_george")),
}
"""Voices fitted to, and voices held out."""
