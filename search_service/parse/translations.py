"""Words of Korean and Japanese that people use of data, in English.

Not a dictionary: the nouns of common business data, names of platforms as they are written there,
and the words that state conditions. An empty translation is a particle that says nothing here;
`<in>` marks the word before it as a place.
"""

from __future__ import annotations

_PLATFORMS = """
    스노우플레이크 snowflake / 스노플레이크 snowflake / 빅쿼리 bigquery / 포스트그레스 postgres /
    포스트그레 postgres / 카프카 kafka / 레드시프트 redshift / 데이터브릭스 databricks /
    마이에스큐엘 mysql / 오라클 oracle / 태블로 tableau / 루커 looker / 하이브 hive /
    몽고디비 mongodb / 에어플로우 airflow / スノーフレーク snowflake /
    ビッグクエリ bigquery / ビッグクエリー bigquery / ポスグレ postgres / ポストグレス postgres /
    カフカ kafka / レッドシフト redshift / データブリックス databricks / オラクル oracle /
    タブロー tableau / ルッカー looker / ハイブ hive
"""
_NOUNS = """
    주문 orders / 고객 customers / 직원 employees / 사원 employees / 급여 payroll / 월급 payroll /
    임금 wages / 결제 payments / 지불 payments / 입금 deposits / 송금 transfers / 배송 shipments /
    출하 shipments / 물류 logistics / 재고 inventory / 창고 warehouse / 송장 invoices /
    청구서 invoices / 청구 billing / 캠페인 campaigns / 마케팅 marketing / 광고 advertising /
    성과 performance / 구독자 subscribers / 구독 subscriptions / 뉴스레터 newsletter /
    이메일 email / 메일 mail / 웹 web / 이벤트 events / 방문 visits / 방문자 visitors /
    클릭 clicks / 세션 sessions / 지원 support / 문의 inquiries / 티켓 tickets /
    상담 consultations / 불만 complaints / 제품 products / 상품 products / 품목 items /
    가격 prices / 할인 discounts /
    환불 refunds / 반품 returns / 매출 revenue / 판매 sales / 영업 sales / 구매 purchases /
    공급업체 suppliers / 공급자 suppliers / 거래처 accounts / 거래 transactions / 계좌 accounts /
    계정 accounts / 예산 budget / 비용 costs / 지출 expenses / 세금 taxes / 회계 accounting /
    재무 finance / 금융 finance / 인사 hr / 부서 departments / 조직 organization / 계약 contracts /
    보험 insurance / 청약 applications / 사고 claims / 환자 patients / 병원 hospitals /
    의사 doctors / 진료 treatments / 약 drugs / 학생 students / 학교 schools / 과목 courses /
    수업 classes / 성적 grades / 교사 teachers / 회원 members / 사용자 users / 주소 addresses /
    전화번호 phone numbers / 생년월일 birth dates / 이름 names / 국가 countries / 도시 cities /
    지역 regions / 매장 stores / 점포 stores / 지점 branches / 날씨 weather / 항공 flights /
    항공편 flights / 승객 passengers / 예약 bookings / 호텔 hotels / 차량 vehicles / 자동차 cars /
    운전자 drivers / 경로 routes / 센서 sensors / 기기 devices / 장비 equipment / 생산 production /
    공장 factories / 품질 quality / 로그 logs / 실험 experiments / 설문 surveys / 리뷰 reviews /
    평점 ratings / 후기 reviews / 영화 movies / 음악 music / 책 books / 게임 games / 선수 players /
    경기 matches / 팀 teams / 에너지 energy / 전력 electricity / 대출 loans / 카드 cards /
    신용 credit / 투자 investments / 주식 stocks / 통화 calls / 메시지 messages / 일별 daily /
    월별 monthly / 분석 analytics / 데이터 data / 정보 information / 목록 list / 현황 status /
    보고서 reports / 마스터 master / 이력 history / 기록 records /
    注文 orders / 顧客 customers / お客様 customers / 従業員 employees / 社員 employees /
    給与 payroll / 支払い payments / 支払 payments / 決済 payments / 配送 shipments /
    出荷 shipments / 物流 logistics / 在庫 inventory / 倉庫 warehouse / 請求書 invoices /
    請求 billing / キャンペーン campaigns / マーケティング marketing / 広告 advertising /
    購読者 subscribers / ニュースレター newsletter / メール email / ウェブ web / イベント events /
    訪問者 visitors / サポート support / チケット tickets / 問い合わせ inquiries / 製品 products /
    商品 products / 価格 prices / 返品 returns / 売上 revenue / 販売 sales / 営業 sales /
    購入 purchases / 取引 transactions / 口座 accounts / 予算 budget / 費用 costs / 財務 finance /
    会計 accounting / 人事 hr / 部門 departments / 契約 contracts / 患者 patients / 学生 students /
    会員 members / ユーザー users / 住所 addresses / 国 countries / 都市 cities / 店舗 stores /
    予約 bookings / 車両 vehicles / データ data / 情報 information / 履歴 history
"""
_CONDITIONS = """
    테이블 tables / 데이터셋 datasets / 대시보드 dashboards / 대쉬보드 dashboards / 뷰 views /
    차트 charts / 파이프라인 pipelines / 개인정보 personal data / 개인 정보 personal data /
    민감정보 sensitive data / 민감 sensitive / 소유자 owner / 담당자 owner / 담당 owner /
    도메인 domain / 태그 tag / 설명 description / 소유한 owns / 소유하는 owns / 소유의 owns /
    관리하는 manages / 담당하는 manages / 사용하는 uses / 쓰는 uses / 이용하는 uses / 없는 missing /
    없이 missing / 제외한 excluded / 제외하고 excluded / 제외 excluded / 아닌 excluded /
    또는 or / 그리고 and / 및 and / 있는 / 저장된 / 들어있는 / 포함된 / 포함하는 / 모든 / 찾아줘 /
    보여줘 / 알려줘 / 관련 / 에서 <in> / 에 <in> / 의 / 을 / 를 / 이 / 가 / 은 / 는 / 로 / 으로 /
    와 and / 과 and / 도 / 만 / 들 /
    テーブル tables / データセット datasets / ダッシュボード dashboards / ビュー views /
    個人情報 personal data / 所有者 owner / 担当者 owner / ドメイン domain / タグ tag /
    説明 description / 所有する owns / 管理する manages / 使用する uses / 使っている uses /
    のない missing / がない missing / なし missing / 除く excluded / 以外 excluded / または or /
    にある <in> / に <in> / で <in> / の / を / が / は / と and / も / ある / すべて / 全て
"""


def _read(*tables: str) -> dict[str, str]:
    entries = (entry.split() for table in tables for entry in table.split("/"))
    known: dict[str, str] = {}
    for words in entries:
        english = [word for word in words if word.isascii()]
        foreign = [word for word in words if not word.isascii()]
        known["".join(foreign)] = " ".join(english)
    return known


TRANSLATIONS = _read(_PLATFORMS, _NOUNS, _CONDITIONS)
LONGEST = max(map(len, TRANSLATIONS))
